//lint:file-ignore SA1019 Go v1 is deprecated, and what many users of Lookout have

package integration

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/lookoutforvision"
	"github.com/aws/aws-sdk-go/service/rekognition"
	"github.com/aws/aws-sdk-go/service/s3"

	"fovea/integration/process"
)

// A goV1 is the AWS SDK for Go v1.
type goV1 map[string]any

func newGoV1(server *process.Server, attempts int) (client, error) {
	sess, err := session.NewSession(&aws.Config{
		Endpoint:               aws.String(server.Endpoint()),
		Region:                 aws.String(server.Region()),
		Credentials:            credentials.NewStaticCredentials(server.KeyID(), server.Secret(), ""),
		S3ForcePathStyle:       aws.Bool(true),
		DisableParamValidation: aws.Bool(true),
		MaxRetries:             aws.Int(attempts - 1),
	})
	if err != nil {
		return nil, err
	}
	return goV1{
		"rekognition":   rekognition.New(sess),
		"lookoutvision": lookoutforvision.New(sess),
		"s3":            s3.New(sess),
	}, nil
}

// call implements client.
func (c goV1) call(ctx context.Context, service, operation string, in map[string]any) (answer, error) {
	method := reflect.ValueOf(c[service]).MethodByName(operation + "Request")
	if !method.IsValid() {
		return answer{}, fmt.Errorf("the SDK for Go v1 has no %s.%s", service, operation)
	}
	input := reflect.New(method.Type().In(0).Elem())
	if err := fill(input.Elem(), in); err != nil {
		return answer{}, err
	}
	results := method.Call([]reflect.Value{input})
	req := results[0].Interface().(*request.Request)
	req.SetContext(ctx)
	err := req.Send()
	var failed awserr.RequestFailure
	switch {
	case err == nil:
		return answer{Out: readStruct(results[1].Elem()), RequestID: req.RequestID}, nil
	case errors.As(err, &failed):
		e := &callError{Code: failed.Code(), Status: failed.StatusCode(), Message: failed.Message()}
		if typed := reflect.Indirect(reflect.ValueOf(failed)); typed.Kind() == reflect.Struct {
			e.Class, e.Fields = typed.Type().Name(), readStruct(typed)
		}
		return answer{Error: e, RequestID: failed.RequestID()}, nil
	}
	return answer{}, err
}
