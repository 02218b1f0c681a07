package integration

import (
	"fmt"
	"strings"
)

// modelScenarios are what every client does with the models that TestModels has
// trained: project and version name that of Custom Labels; that of Lookout is 1
// of the project trained; image is a scratched part.
var modelScenarios = []scenario{
	{
		name: "lv model",
		steps: []step{
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, want: `{"ModelDescription":{
				"ModelVersion":"1","ModelArn":"arn:aws:lookoutvision:us-east-1:000000000000:model/trained/1","CreationTimestamp":"?","Status":"TRAINED",
				"StatusMessage":"Training completed successfully.","Performance":{"F1Score":"?","Recall":"?","Precision":"?"},
				"OutputConfig":{"S3Location":{"Bucket":"factory","Prefix":"lv/"}},"EvaluationEndTimestamp":"?","MinInferenceUnits":"!","MaxInferenceUnits":"!",
				"EvaluationManifest":{"Bucket":"factory","Key":"lv/EvaluationManifest-trained-1.json"},
				"EvaluationResult":{"Bucket":"factory","Key":"lv/EvaluationResult-trained-1.json"},"KmsKeyId":"!","Description":"!"}}`, save: "arn=ModelDescription.ModelArn"},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"trained","ModelVersion":"latest"}`, want: `{"ModelDescription":{"ModelVersion":"1"}}`},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"trained","ModelVersion":"2"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"MODEL","ResourceId":"trained/2"}`},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"none","ModelVersion":"1"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.ListModels", in: `{"ProjectName":"trained"}`, want: `{"Models":[{"ModelVersion":"1","Status":"TRAINED","Performance":{"F1Score":"?"}}],"NextToken":"!"}`},
			{call: "lookoutvision.TagResource", in: `{"ResourceArn":"${arn}","Tags":[{"Key":"stage","Value":"a b"},{"Key":"Stage","Value":""}]}`},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${arn}"}`, want: `{"Tags":["...",{"Key":"stage","Value":"a b"}]}`},
			{call: "lookoutvision.UntagResource", in: `{"ResourceArn":"${arn}","TagKeys":["stage","Stage"]}`},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${arn}"}`, want: `{"Tags":[]}`},

			{call: "lookoutvision.StopModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"MODEL","ResourceId":"trained/1"}`},
			{call: "lookoutvision.DetectAnomalies", in: `{"ProjectName":"trained","ModelVersion":"1","ContentType":"image/png","Body":"${image}"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"MODEL"}`},
			{call: "lookoutvision.StartModel", in: `{"ProjectName":"trained","ModelVersion":"1","MinInferenceUnits":6}`, err: "ServiceQuotaExceededException", status: 402},
			{call: "lookoutvision.StartModel", in: `{"ProjectName":"trained","ModelVersion":"latest","MinInferenceUnits":1}`, want: `{"Status":"STARTING_HOSTING"}`},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, while: `{"ModelDescription":{"Status":"STARTING_HOSTING","StatusMessage":"The model is starting."}}`,
				want: `{"ModelDescription":{"Status":"HOSTED","StatusMessage":"The model is running.","MinInferenceUnits":1,"Performance":"?"}}`},
			{call: "lookoutvision.StartModel", in: `{"ProjectName":"trained","ModelVersion":"1","MinInferenceUnits":1}`, err: "ConflictException", status: 409},
			{call: "lookoutvision.DeleteModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, err: "ConflictException", status: 409},
			{call: "lookoutvision.DeleteModel", in: `{"ProjectName":"trained","ModelVersion":"latest"}`, err: "ValidationException", status: 400}, // LV-2.77
			{call: "lookoutvision.DetectAnomalies", in: `{"ProjectName":"trained","ModelVersion":"1","ContentType":"image/png","Body":"${image}"}`,
				want: `{"DetectAnomalyResult":{"Source":{"Type":"direct"},"IsAnomalous":true,"Confidence":"?","AnomalyMask":"?","Anomalies":["...",{"Name":"background","PixelAnomaly":{"Color":"#FFFFFF","TotalPercentageArea":"?"}}]}}`},
			{call: "lookoutvision.DetectAnomalies", in: `{"ProjectName":"trained","ModelVersion":"1","ContentType":"image/gif","Body":"${image}"}`, err: "ValidationException", status: 400,
				says: "content-type must be one of the following. image/jpeg, image/png"}, // LV-7.20
			{call: "lookoutvision.DetectAnomalies", in: `{"ProjectName":"trained","ModelVersion":"1","ContentType":"image/png","Body":"no image"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.StopModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, want: `{"Status":"STOPPING_HOSTING"}`},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, while: `{"ModelDescription":{"Status":"STOPPING_HOSTING"}}`,
				want: `{"ModelDescription":{"Status":"TRAINED","MinInferenceUnits":"!"}}`},
		},
	},
	{
		name: "cl model",
		steps: []step{
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["v1"],"MaxResults":1}`, want: `{"NextToken":"!","ProjectVersionDescriptions":[{
				"ProjectVersionArn":"${version}","CreationTimestamp":"?","StatusMessage":"~The model is ready to run\\.|The model is stopped\\.","BillableTrainingTimeInSeconds":"?","TrainingEndTimestamp":"?",
				"OutputConfig":{"S3Bucket":"factory","S3KeyPrefix":"cl"},
				"EvaluationResult":{"F1Score":"?","Summary":{"S3Object":{"Bucket":"factory","Name":"cl/EvaluationResultSummary-leaves-v1.json","Version":"!"}}},
				"ManifestSummary":{"S3Object":{"Bucket":"factory","Name":"cl/ManifestSummary-leaves-v1.json"}},
				"TrainingDataResult":{"Output":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Name":"cl/TrainingGroundTruth-leaves-v1.json"}}}]},
					"Validation":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Name":"cl/TrainingManifestWithValidation-leaves-v1.json"}}}]}},
				"TestingDataResult":{"Input":{"AutoCreate":false},"Output":{"AutoCreate":false,"Assets":[{"GroundTruthManifest":{"S3Object":{"Name":"cl/TestingGroundTruth-leaves-v1.json"}}}]},
					"Validation":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Name":"cl/TestingManifestWithValidation-leaves-v1.json"}}}]}}}]}`},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["none"]}`, want: `{"ProjectVersionDescriptions":[]}`}, // CL-2.140
			{call: "rekognition.TagResource", in: tag("version", `{"stage":"a b"}`)},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${version}"}`, want: `{"Tags":{"stage":"a b"}}`},
			{call: "rekognition.UntagResource", in: `{"ResourceArn":"${version}","TagKeys":["stage"]}`},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${version}"}`, want: `{"Tags":{"stage":"!"}}`},

			{call: "rekognition.StopProjectVersion", in: `{"ProjectVersionArn":"${version}"}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"none","Name":"none"}}}`, err: "ResourceNotReadyException", status: 400}, // CL-10.19
			{call: "rekognition.StartProjectVersion", in: `{"ProjectVersionArn":"${version}","MinInferenceUnits":6}`, err: "LimitExceededException", status: 400},
			{call: "rekognition.StartProjectVersion", in: `{"ProjectVersionArn":"${version}","MinInferenceUnits":1}`, want: `{"Status":"STARTING"}`},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["v1"]}`, while: `{"ProjectVersionDescriptions":[{"Status":"STARTING"}]}`,
				want: `{"ProjectVersionDescriptions":[{"Status":"RUNNING","StatusMessage":"The model is running.","MinInferenceUnits":1}]}`},
			{call: "rekognition.StartProjectVersion", in: `{"ProjectVersionArn":"${version}","MinInferenceUnits":1}`, err: "ResourceInUseException", status: 400}, // OQ-27
			{call: "rekognition.DeleteProjectVersion", in: `{"ProjectVersionArn":"${version}"}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"factory","Name":"new.png"}},"MinConfidence":0,"MaxResults":1}`,
				want: `{"CustomLabels":[{"Name":"scratched","Confidence":"?","Geometry":"!"}]}`},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"Bytes":"${image}"},"MinConfidence":0}`, unless: "cli",
				want: `{"CustomLabels":[{"Name":"scratched"},{"Name":"good"}]}`},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"factory","Name":"new.png"}},"MaxResults":0}`, want: `{"CustomLabels":[]}`}, // OQ-13
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"factory","Name":"none.png"}}}`, err: "InvalidS3ObjectException", status: 400},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"factory","Name":"leavesTRAIN"}}}`, err: "InvalidImageFormatException", status: 400},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"factory","Name":"new.png"}},"MinConfidence":101}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{}}`, err: "InvalidParameterException", status: 400},

			{call: "rekognition.CopyProjectVersion", in: `{"SourceProjectArn":"${project}","SourceProjectVersionArn":"${version}","DestinationProjectArn":"${project}","VersionName":"copy","OutputConfig":{"S3Bucket":"factory","S3KeyPrefix":"copies/"}}`, save: "copy=ProjectVersionArn"},
			{call: "rekognition.CopyProjectVersion", in: `{"SourceProjectArn":"${project}","SourceProjectVersionArn":"${version}","DestinationProjectArn":"${project}","VersionName":"copy","OutputConfig":{"S3Bucket":"factory"}}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["copy"]}`, while: `{"ProjectVersionDescriptions":[{"Status":"COPYING_IN_PROGRESS"}]}`,
				want: `{"ProjectVersionDescriptions":[{"Status":"COPYING_COMPLETED","SourceProjectVersionArn":"${version}","BillableTrainingTimeInSeconds":"!","EvaluationResult":{"Summary":{"S3Object":{"Name":"copies/EvaluationResultSummary-leaves-copy.json"}}}}]}`},
			{call: "rekognition.DeleteProjectVersion", in: `{"ProjectVersionArn":"${copy}"}`, want: `{"Status":"DELETING"}`},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}"}`, want: `{"ProjectVersionDescriptions":[{"ProjectVersionArn":"${version}"}]}`},

			{call: "rekognition.StopProjectVersion", in: `{"ProjectVersionArn":"${version}"}`, want: `{"Status":"STOPPING"}`},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["v1"]}`, while: `{"ProjectVersionDescriptions":[{"Status":"STOPPING"}]}`,
				want: `{"ProjectVersionDescriptions":[{"Status":"STOPPED","StatusMessage":"The model is stopped.","MinInferenceUnits":1}]}`}, // CL-10.8
		},
	},
	{
		name:  "lv model briefly",
		brief: true,
		steps: []step{
			{call: "lookoutvision.StartModel", in: `{"ProjectName":"trained","ModelVersion":"1","MinInferenceUnits":1}`, want: `{"Status":"STARTING_HOSTING"}`}, // LV-13.60
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, while: `{"ModelDescription":{"Status":"STARTING_HOSTING"}}`,
				want: `{"ModelDescription":{"Status":"HOSTED","MinInferenceUnits":1,"Performance":{"F1Score":"?"}}}`},
			{call: "lookoutvision.DetectAnomalies", in: `{"ProjectName":"trained","ModelVersion":"1","ContentType":"image/png","Body":"${image}"}`,
				want: `{"DetectAnomalyResult":{"Source":{"Type":"direct"},"IsAnomalous":true,"Confidence":"?","AnomalyMask":"?"}}`},
			{call: "lookoutvision.StopModel", in: `{"ProjectName":"trained","ModelVersion":"1"}`, want: `{"Status":"STOPPING_HOSTING"}`},
			{call: "lookoutvision.ListModels", in: `{"ProjectName":"trained"}`, want: `{"Models":[{"ModelVersion":"1"}]}`},
		},
	},
	{
		name:  "cl model briefly",
		brief: true,
		steps: []step{
			{call: "rekognition.StartProjectVersion", in: `{"ProjectVersionArn":"${version}","MinInferenceUnits":1}`, want: `{"Status":"STARTING"}`},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["v1"]}`, while: `{"ProjectVersionDescriptions":[{"Status":"STARTING"}]}`,
				want: `{"ProjectVersionDescriptions":[{"Status":"RUNNING","MinInferenceUnits":1}]}`},
			{call: "rekognition.DetectCustomLabels", in: `{"ProjectVersionArn":"${version}","Image":{"S3Object":{"Bucket":"factory","Name":"new.png"}},"MinConfidence":0,"MaxResults":1}`,
				want: `{"CustomLabels":[{"Name":"scratched","Confidence":"?","Geometry":"!"}]}`},
			{call: "rekognition.StopProjectVersion", in: `{"ProjectVersionArn":"${version}"}`, want: `{"Status":"STOPPING"}`},
			{call: "rekognition.CopyProjectVersion", in: `{"SourceProjectArn":"${project}","SourceProjectVersionArn":"${version}","DestinationProjectArn":"${project}","VersionName":"cli","OutputConfig":{"S3Bucket":"factory","S3KeyPrefix":"copies/"}}`, save: "copy=ProjectVersionArn"},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["cli"]}`, while: `{"ProjectVersionDescriptions":[{"Status":"COPYING_IN_PROGRESS"}]}`,
				want: `{"ProjectVersionDescriptions":[{"Status":"COPYING_COMPLETED"}]}`},
			{call: "rekognition.DeleteProjectVersion", in: `{"ProjectVersionArn":"${copy}"}`, want: `{"Status":"DELETING"}`},
		},
	},
}

// trainingScenarios make models whose training fails at once, because their
// images are not there: so every client can make, describe and delete models.
var trainingScenarios = []scenario{
	{
		name:  "lv training",
		texts: map[string]string{"manifest": manyCookies(20, 10)},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.CreateModel", in: createModel, err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET"}`}, // LV-14.8
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "lookoutvision.CreateModel", in: createModel, err: "ValidationException", status: 400, says: "20"}, // LV-6.7
			{call: "lookoutvision.UpdateDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Changes":"${manifest}"}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: `{"DatasetDescription":{"Status":"UPDATE_IN_PROGRESS"}}`, want: `{"DatasetDescription":{"ImageStats":{"Normal":20,"Anomaly":10}}}`},
			{call: "lookoutvision.CreateModel", in: `{"ProjectName":"${p}","OutputConfig":{"S3Location":{"Bucket":"no-such-bucket"}}}`, err: "ValidationException", status: 400, says: "no-such-bucket"}, // LV 6.2
			{call: "lookoutvision.CreateModel", in: `{"ProjectName":"${p}","ClientToken":"once","Description":"first","OutputConfig":{"S3Location":{"Bucket":"factory","Prefix":""}},"Tags":[{"Key":"stage","Value":"x"}]}`,
				want: `{"ModelMetadata":{"ModelVersion":"1","ModelArn":"~.*:model/${p}/1","Status":"TRAINING","StatusMessage":"The model is being trained.","CreationTimestamp":"?","Description":"first","Performance":"!"}}`, save: "arn=ModelMetadata.ModelArn"},
			{call: "lookoutvision.CreateModel", in: `{"ProjectName":"${p}","ClientToken":"once","Description":"first","OutputConfig":{"S3Location":{"Bucket":"factory","Prefix":""}},"Tags":[{"Key":"stage","Value":"x"}]}`,
				want: `{"ModelMetadata":{"ModelVersion":"1","Status":"TRAINING"}}`}, // LV-2.67
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${arn}"}`, want: `{"Tags":[{"Key":"stage","Value":"x"}]}`},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"${p}","ModelVersion":"1"}`, while: `{"ModelDescription":{"Status":"TRAINING"}}`,
				want: `{"ModelDescription":{"Status":"TRAINING_FAILED","StatusMessage":"~.*can be read.*","Description":"first","Performance":"!","EvaluationManifest":"!","EvaluationResult":"!",
					"EvaluationEndTimestamp":"!","OutputConfig":{"S3Location":{"Bucket":"factory","Prefix":""}}}}`}, // LV-2.69, LV-6.27
			{call: "lookoutvision.StartModel", in: `{"ProjectName":"${p}","ModelVersion":"1","MinInferenceUnits":1}`, err: "ConflictException", status: 409},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409},
			{call: "lookoutvision.DeleteModel", in: `{"ProjectName":"${p}","ModelVersion":"1"}`, want: `{"ModelArn":"${arn}"}`},
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"${p}","ModelVersion":"1"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"MODEL","ResourceId":"${p}/1"}`},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${arn}"}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.CreateModel", in: createModel, want: `{"ModelMetadata":{"ModelVersion":"2"}}`}, // LV-2.63
			{call: "lookoutvision.DescribeModel", in: `{"ProjectName":"${p}","ModelVersion":"latest"}`, while: `{"ModelDescription":{"Status":"TRAINING"}}`, want: `{"ModelDescription":{"ModelVersion":"2","Status":"TRAINING_FAILED"}}`},
		},
	},
	{
		name:  "cl training",
		texts: map[string]string{"manifest": leaf("gone/1.jpg", "oak") + leaf("gone/2.jpg", "elm"), "output": `{"S3Bucket":"factory","S3KeyPrefix":"failed/"}`},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateProjectVersion", in: createVersion, err: "InvalidParameterException", status: 400}, // CL-9.5
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/train.manifest","Body":"${manifest}"}`},
			{call: "rekognition.CreateProjectVersion", in: `{"ProjectArn":"${project}","VersionName":"v1","OutputConfig":{"S3Bucket":"factory"},` +
				`"TrainingData":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":"cl/train.manifest"}}}]}}`, err: "InvalidParameterException", status: 400}, // CL-9.6
			{call: "rekognition.CreateProjectVersion", in: `{"ProjectArn":"${project}","VersionName":"external","OutputConfig":{"S3Bucket":"factory","S3KeyPrefix":"evaluation/"},"Tags":{},` +
				`"TrainingData":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":"cl/train.manifest"}}}]},"TestingData":{"AutoCreate":true,"Assets":[]}}`, save: "external=ProjectVersionArn"}, // CL-2.123, CL-2.127
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["external"]}`, while: trainingInProgress,
				want: `{"ProjectVersionDescriptions":[{"Status":"TRAINING_FAILED","StatusMessage":"The manifest file contains too many invalid rows.","TrainingEndTimestamp":"?","EvaluationResult":"!","BillableTrainingTimeInSeconds":"!",
					"ManifestSummary":{"S3Object":{"Name":"evaluation/ManifestSummary-cl-training-external.json"}},"TestingDataResult":{"Input":{"AutoCreate":true},"Output":"!"},
					"TrainingDataResult":{"Input":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Name":"cl/train.manifest"}}}]},"Output":"!","Validation":{"Assets":"?"}}}]}`}, // CL-9.43
			{call: "rekognition.CreateProjectVersion", in: `{"ProjectArn":"${project}","VersionName":"unwritable","OutputConfig":{"S3Bucket":"no-such-bucket"},` +
				`"TrainingData":{"Assets":[{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":"cl/train.manifest"}}}]},"TestingData":{"AutoCreate":true}}`, save: "unwritable=ProjectVersionArn"},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","VersionNames":["unwritable"]}`, while: trainingInProgress,
				want: `{"ProjectVersionDescriptions":[{"Status":"TRAINING_FAILED","StatusMessage":"Unable to write to output S3 bucket.","TrainingEndTimestamp":"?","ManifestSummary":"!",
					"TrainingDataResult":"!","TestingDataResult":"!","OutputConfig":{"S3Bucket":"no-such-bucket","S3KeyPrefix":""}}]}`}, // CL-6.73, CL-9.43
			{call: "rekognition.DeleteProjectVersion", in: `{"ProjectVersionArn":"${unwritable}"}`, want: `{"Status":"DELETING"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/train.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating},
			{call: "rekognition.CreateProjectVersion", in: createVersion, save: "version=ProjectVersionArn"},
			{call: "rekognition.CreateProjectVersion", in: createVersion, err: "ResourceInUseException", status: 400}, // OQ-18
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}"}`, while: `{"ProjectVersionDescriptions":[{"Status":"TRAINING_IN_PROGRESS"},{}]}`,
				want: `{"ProjectVersionDescriptions":[{"ProjectVersionArn":"${version}","Status":"TRAINING_FAILED"},{"ProjectVersionArn":"${external}"}]}`},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","MaxResults":1}`, want: `{"ProjectVersionDescriptions":[{"ProjectVersionArn":"${version}"}]}`, save: "token=NextToken"},
			{call: "rekognition.DescribeProjectVersions", in: `{"ProjectArn":"${project}","MaxResults":1,"NextToken":"${token}"}`, want: `{"ProjectVersionDescriptions":[{"ProjectVersionArn":"${external}"}],"NextToken":"!"}`},
			{call: "rekognition.StartProjectVersion", in: `{"ProjectVersionArn":"${version}","MinInferenceUnits":1}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.CopyProjectVersion", in: `{"SourceProjectArn":"${project}","SourceProjectVersionArn":"${version}","DestinationProjectArn":"${project}","VersionName":"c","OutputConfig":{"S3Bucket":"factory"}}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.DeleteProjectVersion", in: `{"ProjectVersionArn":"${version}"}`, want: `{"Status":"DELETING"}`},
			{call: "rekognition.DeleteProjectVersion", in: `{"ProjectVersionArn":"${version}"}`, err: "ResourceNotFoundException", status: 400},
		},
	},
}

const (
	createModel        = `{"ProjectName":"${p}","OutputConfig":{"S3Location":{"Bucket":"factory"}}}`
	createVersion      = `{"ProjectArn":"${project}","VersionName":"v1","OutputConfig":{"S3Bucket":"factory","S3KeyPrefix":"failed/"}}`
	trainingInProgress = `{"ProjectVersionDescriptions":[{"Status":"TRAINING_IN_PROGRESS","StatusMessage":"~The model is being trained\\..*"}]}`
)

// manyCookies returns lines of normal and of anomalous images that are not
// there.
func manyCookies(normal, anomalous int) string {
	var b strings.Builder
	for i := range normal + anomalous {
		class := "normal"
		if i >= normal {
			class = "anomaly"
		}
		b.WriteString(cookie(fmt.Sprintf("gone/%d.jpg", i), class, "2026-01-01T00:00:00"))
	}
	return b.String()
}
