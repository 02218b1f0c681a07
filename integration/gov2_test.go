package integration

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"fovea/integration/process"
)

// A goV2 is the AWS SDK for Go v2, which has no client for Lookout any more.
type goV2 map[string]any

func newGoV2(server *process.Server, attempts int) (client, error) {
	cfg := aws.Config{
		BaseEndpoint:     aws.String(server.Endpoint()),
		Region:           server.Region(),
		RetryMaxAttempts: attempts,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return server.Credentials(), nil
		}),
	}
	return goV2{
		"rekognition": rekognition.NewFromConfig(cfg),
		"s3":          s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
	}, nil
}

// call implements client.
func (c goV2) call(ctx context.Context, service, operation string, in map[string]any) (answer, error) {
	if c[service] == nil {
		return answer{}, fmt.Errorf("the SDK for Go v2 has no client for %s", service)
	}
	method := reflect.ValueOf(c[service]).MethodByName(operation)
	if !method.IsValid() {
		return answer{}, fmt.Errorf("the SDK for Go v2 has no %s.%s", service, operation)
	}
	input := reflect.New(method.Type().In(1).Elem())
	if err := fill(input.Elem(), in); err != nil {
		return answer{}, err
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, _ := results[1].Interface().(error); err != nil {
		return failedGoV2(err)
	}
	output := results[0].Elem()
	meta := output.FieldByName("ResultMetadata").Interface().(middleware.Metadata)
	id, _ := awsmiddleware.GetRequestIDMetadata(meta)
	return answer{Out: readStruct(output), RequestID: id}, nil
}

func failedGoV2(err error) (answer, error) {
	var response *awshttp.ResponseError
	var api smithy.APIError
	if !errors.As(err, &response) || !errors.As(err, &api) {
		return answer{}, err
	}
	typed := reflect.Indirect(reflect.ValueOf(api))
	return answer{
		Error: &callError{
			Code:    api.ErrorCode(),
			Status:  response.HTTPStatusCode(),
			Message: api.ErrorMessage(),
			Class:   typed.Type().Name(),
			Fields:  readStruct(typed),
		},
		RequestID: response.ServiceRequestID(),
	}, nil
}
