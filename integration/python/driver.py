"""Runs calls of AWS clients for the integration tests.

Reads one JSON object a line from standard input and writes one to standard
output for each. A request is {"service", "operation", "input"} with member
names as on the wire and blobs as text, or as base64 after "base64:"; an answer is {"out", "request_id"}, or
{"error": {"code", "status", "message", "class", "fields"}}, or {"fault"} when
the client itself failed. A request may be {"script", "args"} instead: a
function of scripts.py.

DRIVER_HIDE_LOOKOUT takes the model of lookoutvision away from botocore, which
is how its newer releases are. DRIVER_ATTEMPTS is how often a call is tried.
"""

import base64
import datetime
import io
import json
import os
import sys
import tempfile
import traceback

import boto3
import botocore.config
import botocore.exceptions
import botocore.loaders

import scripts


def hide_lookout():
    """Makes botocore see all its models but the one of lookoutvision."""
    real = botocore.loaders.Loader.BUILTIN_DATA_PATH
    shown = tempfile.mkdtemp()
    for name in os.listdir(real):
        if name != "lookoutvision":
            os.symlink(os.path.join(real, name), os.path.join(shown, name))
    botocore.loaders.Loader.BUILTIN_DATA_PATH = shown


def plain(value):
    """Turns what a client returns into what JSON can say."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    if hasattr(value, "read"):
        return plain(value.read())
    return value


def typed(value):
    """Turns what stands for bytes into bytes."""
    if isinstance(value, dict):
        return {k: typed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v) for v in value]
    if isinstance(value, str) and value.startswith("base64:"):
        return base64.b64decode(value[len("base64:") :])
    return value


class Clients(dict):
    """The clients by name of service, made when first asked for."""

    @staticmethod
    def make(service, **options):
        config = botocore.config.Config(
            parameter_validation=False,
            retries={"total_max_attempts": int(os.environ.get("DRIVER_ATTEMPTS", "1"))},
            s3={"addressing_style": "path"},
            **options,
        )
        return boto3.client(
            service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"], config=config
        )

    def __missing__(self, service):
        self[service] = self.make(service)
        return self[service]


def call(clients, request):
    client = clients[request["service"]]
    method = getattr(client, botocore.xform_name(request["operation"]))
    try:
        answer = method(**typed(request["input"]))
    except botocore.exceptions.ClientError as e:
        meta = e.response["ResponseMetadata"]
        return {
            "error": {
                "code": e.response["Error"]["Code"],
                "message": e.response["Error"].get("Message", ""),
                "status": meta["HTTPStatusCode"],
                "class": type(e).__name__,
                "fields": {k: plain(v) for k, v in e.response.items() if k not in ("Error", "ResponseMetadata")},
            },
            "request_id": meta.get("RequestId", ""),
        }
    return {"out": plain(answer), "request_id": answer["ResponseMetadata"].get("RequestId", "")}


def run(clients, request):
    out = io.StringIO()
    result = getattr(scripts, request["script"])(clients, out, **request["args"])
    return {"out": {"result": plain(result), "printed": out.getvalue()}}


def main():
    if os.environ.get("DRIVER_HIDE_LOOKOUT"):
        hide_lookout()
    clients = Clients()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = run(clients, request) if "script" in request else call(clients, request)
        except Exception:  # the test reports it
            answer = {"fault": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


main()
