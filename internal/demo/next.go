package demo

import "strings"

// next prints what to try on the server.
func (s *story) next() {
	if s.Exits {
		return
	}
	s.title("4  Try it yourself, in another terminal")
	for _, line := range s.commands() {
		s.say("   %s", line)
	}
	s.say("   An aws that has dropped lookoutvision gets it back with: %s sdk install", s.Program)
}

// commands returns commands to copy into a shell.
func (s *story) commands() []string {
	listen := s.Endpoint[strings.Index(s.Endpoint, "://")+len("://"):]
	env := s.Program + " env --data " + quote(s.Data) + " --listen " + listen
	if s.Region != "us-east-1" {
		env += " --region " + s.Region
	}
	return []string{
		`eval "$(` + env + `)"`,
		`aws s3 ls s3://` + plateBucket + ` --recursive --endpoint-url "$AWS_ENDPOINT_URL"`,
		`TRAIN=` + s.trainARN,
		`aws rekognition list-dataset-entries --dataset-arn "$TRAIN" --has-errors \`,
		`    --endpoint-url "$AWS_ENDPOINT_URL"`,
		`aws lookoutvision describe-dataset --project-name ` + flangeProject + ` --dataset-type train \`,
		`    --endpoint-url "$AWS_ENDPOINT_URL"`,
		`curl --aws-sigv4 "aws:amz:$AWS_REGION:fovea" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \`,
		`    "$AWS_ENDPOINT_URL` + reportPath("custom-labels", plateProject, "train") + `"`,
	}
}

// quote returns a word for a shell.
func quote(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
