package server

import (
	"encoding/xml"
	"fmt"
	"net/http"

	"fovea"
)

// sts answers GetCallerIdentity, which scripts call to see whom they act for.
type sts struct{ *Server }

// Operation implements API.
func (sts) Operation(*http.Request) string { return "GetCallerIdentity" }

// ServeHTTP implements API.
func (s sts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if action := r.FormValue("Action"); action != "GetCallerIdentity" {
		s.WriteError(w, r, "InvalidAction", http.StatusBadRequest, fmt.Sprintf("The action %q is not one that fovea has: GetCallerIdentity.", action))
		return
	}
	c := fovea.CallerOf(r.Context())
	type result struct {
		Arn, UserId, Account string
	}
	writeXML(w, http.StatusOK, struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result    result   `xml:"GetCallerIdentityResult"`
		RequestID string   `xml:"ResponseMetadata>RequestId"`
	}{Result: result{"arn:aws:iam::" + c.Account + ":root", c.Account, c.Account}, RequestID: c.RequestID})
}

// WriteError implements API, in the form of the Query protocol.
func (sts) WriteError(w http.ResponseWriter, r *http.Request, code string, status int, message string) {
	writeXML(w, status, struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{Type: "Sender", Code: code, Message: message, RequestID: fovea.CallerOf(r.Context()).RequestID})
}

// An s3Error is an error in the form of S3.
type s3Error struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
}

// s3Elsewhere answers S3 requests where the users' S3 is an external one.
var s3Elsewhere = s3Error{Code: "NotImplemented", Message: "This fovea uses an external S3 and does not serve one itself. Send S3 requests there."}

func writeXML(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	xml.NewEncoder(w).Encode(v)
}
