package integration

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
}
