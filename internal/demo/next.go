package demo

import "strings"

// next prints what to try on the server, and then with images of one's own.
func (s *story) next() {
	if s.Exits {
		return
	}
	s.title("5  Try it yourself, in another terminal")
	for _, line := range s.commands() {
		s.say("   %s", line)
	}
	s.text(3, "An aws without lookoutvision gets it by: "+s.Program+" sdk install. One from before July 2023 needs "+
		"--endpoint-url \"$AWS_ENDPOINT_URL\" each time.")
	s.say("")
	s.say("   With images of your own, in the folders photos/normal and photos/anomaly:")
	for _, line := range s.ownCommands() {
		s.say("   %s", line)
	}
}

// commands returns commands to copy into a shell.
func (s *story) commands() []string {
	env := s.Program + " env" + s.server()
	return []string{
		`eval "$(` + env + `)"`,
		`aws rekognition describe-projects`,
		`aws s3 cp s3://` + lidBucket + `/` + imageKey("lid-124") + ` .`,
		`aws lookoutvision detect-anomalies --project-name ` + lidProject + ` --model-version ` + modelVersion + ` \`,
		`    --content-type image/jpeg --body lid-124.jpg`,
	}
}

// ownCommands returns commands that make a model of images of one's own.
func (s *story) ownCommands() []string {
	return []string{
		s.Program + ` import photos --service lookout --project mine \`,
		`   ` + s.server(),
		`aws lookoutvision create-model --project-name mine \`,
		`    --output-config 'S3Location={Bucket=fovea-datasets,Prefix=models/}'`,
		`aws lookoutvision describe-model --project-name mine --model-version 1   # till it is TRAINED`,
	}
}

// server returns the flags that name the server.
func (s *story) server() string {
	listen := s.Endpoint[strings.Index(s.Endpoint, "://")+len("://"):]
	flags := " --data " + quote(s.Data) + " --listen " + listen
	if s.Region != "us-east-1" {
		flags += " --region " + s.Region
	}
	return flags
}

// quote returns a word for a shell.
func quote(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
