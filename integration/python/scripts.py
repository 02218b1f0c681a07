"""What people's scripts do with the services, beyond single calls.

The loops behave as those of the services' guides: they poll, they accept the
statuses that those accept and raise on every other, and they index without a
default what those index.
"""

import hashlib
import json
import os
import tempfile
import time

import boto3.s3.transfer
import botocore.exceptions

PAUSE = 0.05  # seconds; the guides' scripts wait for 2 or 5


def create_dataset(clients, out, **args):
    """The Custom Labels guide's: create, then poll until it is made (CL-15.2)."""
    rekognition = clients["rekognition"]
    arn = rekognition.create_dataset(**args)["DatasetArn"]
    while True:
        dataset = rekognition.describe_dataset(DatasetArn=arn)["DatasetDescription"]
        if dataset["Status"] == "CREATE_IN_PROGRESS":
            time.sleep(PAUSE)
            continue
        if dataset["Status"] == "CREATE_COMPLETE":
            return arn
        if dataset["Status"] == "CREATE_FAILED":
            raise RuntimeError("failed: " + dataset["StatusMessage"])
        raise RuntimeError("unexpected status " + dataset["Status"])


def describe_dataset(clients, out, arn):
    """The guide's: prints every member, each indexed without a default (CL-2.71)."""
    d = clients["rekognition"].describe_dataset(DatasetArn=arn)["DatasetDescription"]
    stats = d["DatasetStats"]
    print("Created:", d["CreationTimestamp"], "Updated:", d["LastUpdatedTimestamp"], file=out)
    print("Status:", d["Status"], d["StatusMessage"], d["StatusMessageCode"], file=out)
    print("Entries:", stats["TotalEntries"], stats["LabeledEntries"], stats["TotalLabels"], stats["ErrorEntries"], file=out)


def describe_projects(clients, out, name):
    """The guide's: prints a project with its datasets (CL-2.30, CL-2.31)."""
    found = clients["rekognition"].describe_projects(ProjectNames=[name])
    for project in found["ProjectDescriptions"]:
        print("Project:", project["ProjectArn"].split("/")[1], project["Status"], file=out)
        print("Datasets:", len(project["Datasets"]), file=out)
        for d in project["Datasets"]:
            print("Dataset:", d["CreationTimestamp"], d["DatasetType"], d["DatasetArn"], file=out)
            print("Status:", d["Status"], d["StatusMessage"], d["StatusMessageCode"], file=out)


def list_entries(clients, out, arn, errors=False, page=100):
    """The guide's: first token empty, until the key is missing (CL-2.2, CL-2.3)."""
    token, entries, pages = "", [], 0
    while True:
        answer = clients["rekognition"].list_dataset_entries(
            DatasetArn=arn, HasErrors=errors, MaxResults=page, NextToken=token
        )
        pages += 1
        entries += answer["DatasetEntries"]
        if "NextToken" not in answer:
            return {"entries": entries, "pages": pages}
        token = answer["NextToken"]


def delete_dataset(clients, out, arn):
    """The guide's: delete, then poll until the dataset is not found (CL-2.60)."""
    rekognition = clients["rekognition"]
    rekognition.delete_dataset(DatasetArn=arn)
    while True:
        try:
            rekognition.describe_dataset(DatasetArn=arn)
            time.sleep(PAUSE)
        except botocore.exceptions.ClientError as e:
            if e.response["Error"]["Code"] == "ResourceNotFoundException":
                return True
            raise


def delete_project(clients, out, arn):
    """The guide's: delete, then poll until the name has no project (CL-2.21)."""
    rekognition = clients["rekognition"]
    status = rekognition.delete_project(ProjectArn=arn)["Status"]
    name = arn[arn.index("/") + 1 : arn.rindex("/")]
    while rekognition.describe_projects(ProjectNames=[name])["ProjectDescriptions"]:
        time.sleep(PAUSE)
    return status


def lookout_create_dataset(clients, out, project, type, bucket, key):
    """The Lookout examples': create from a manifest and poll (LV-13.4)."""
    lookout = clients["lookoutvision"]
    made = lookout.create_dataset(
        ProjectName=project,
        DatasetType=type,
        DatasetSource={"GroundTruthManifest": {"S3Object": {"Bucket": bucket, "Key": key}}},
    )["DatasetMetadata"]
    print(made["Status"], made["StatusMessage"], made["DatasetType"], file=out)
    while True:
        d = lookout.describe_dataset(ProjectName=project, DatasetType=type)["DatasetDescription"]
        if d["Status"] != "CREATE_IN_PROGRESS":
            break
        time.sleep(PAUSE)
    print(d["Status"], d["StatusMessage"], file=out)
    if d["Status"] != "CREATE_COMPLETE":
        raise RuntimeError(d["StatusMessage"])
    return d


def lookout_export(clients, out, project):
    """The Lookout example that exports all datasets of a project (LV-13.19b)."""
    lookout = clients["lookoutvision"]
    exported = {}
    for d in lookout.describe_project(ProjectName=project)["ProjectDescription"]["Datasets"]:
        if d["Status"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            continue
        pages = lookout.get_paginator("list_dataset_entries").paginate(
            ProjectName=project, DatasetType=d["DatasetType"], PaginationConfig={"PageSize": 100}
        )
        exported[d["DatasetType"]] = [json.loads(line) for page in pages for line in page["DatasetEntries"]]
    return exported


def transfer(clients, out, bucket, key, size):
    """Uploads and downloads a file with the transfer manager, in parts."""
    s3 = clients["s3"]
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
    with tempfile.TemporaryDirectory() as folder:
        sent, got = os.path.join(folder, "sent"), os.path.join(folder, "got")
        data = b"".join(hashlib.sha256(i.to_bytes(8, "big")).digest() for i in range(size // 32))
        with open(sent, "wb") as f:
            f.write(data)
        s3.upload_file(sent, bucket, key, Config=config)
        head = s3.head_object(Bucket=bucket, Key=key)
        s3.download_file(bucket, key, got, Config=config)
        with open(got, "rb") as f:
            same = f.read() == data
    return {"same": same, "size": head["ContentLength"], "etag": head["ETag"]}


def presign(clients, out, bucket, key, seconds, version="s3v4"):
    """Returns a presigned URL that gets an object; this boto3 would sign it as version 2."""
    s3 = clients.make("s3", signature_version=version)
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds)


def wait_trained(clients, out, project, version):
    """The waiter of boto3 for trainings, as the guide's script has it (CL-15.1)."""
    waiter = clients["rekognition"].get_waiter("project_version_training_completed")
    waiter.wait(ProjectArn=project, VersionNames=[version], WaiterConfig={"Delay": 1, "MaxAttempts": 600})


def start_model(clients, out, project, version, arn):
    """The guide's script that starts a model, with its waiter."""
    rekognition = clients["rekognition"]
    print("Status: " + rekognition.start_project_version(ProjectVersionArn=arn, MinInferenceUnits=1)["Status"], file=out)
    waiter = rekognition.get_waiter("project_version_running")
    waiter.wait(ProjectArn=project, VersionNames=[version], WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    for model in rekognition.describe_project_versions(ProjectArn=project, VersionNames=[version])["ProjectVersionDescriptions"]:
        print(f"Status: {model['Status']}\nMessage: {model['StatusMessage']}", file=out)


def stop_model(clients, out, project, version, arn):
    """The guide's script that stops a model: only STOPPING, and then STOPPED, will do."""
    rekognition = clients["rekognition"]
    status = rekognition.stop_project_version(ProjectVersionArn=arn)["Status"]
    while status == "STOPPING":
        time.sleep(0.1)
        models = rekognition.describe_project_versions(ProjectArn=project, VersionNames=[version])
        status = models["ProjectVersionDescriptions"][0]["Status"]
    print("Status: " + status, file=out)


def describe_model(clients, out, project, version):
    """The guide's script that describes a model: every member that it reads."""
    models = clients["rekognition"].describe_project_versions(ProjectArn=project, VersionNames=[version])
    for model in models["ProjectVersionDescriptions"]:
        print(f"Created: {model['CreationTimestamp']}\nARN: {model['ProjectVersionArn']}", file=out)
        print(f"Status: {model['Status']}\nMessage: {model['StatusMessage']}", file=out)
        if "EvaluationResult" in model:
            summary = model["EvaluationResult"]["Summary"]["S3Object"]
            print(f"F1 score: {model['EvaluationResult']['F1Score']}", file=out)
            body = clients["s3"].get_object(Bucket=summary["Bucket"], Key=summary["Name"])["Body"].read()
            print(f"Metrics: {sorted(json.loads(body)['AggregatedEvaluationResults'])}", file=out)
        if "OutputConfig" in model:
            print(f"Output: {model['OutputConfig']['S3Bucket']} {model['OutputConfig']['S3KeyPrefix']}", file=out)
