package server

import (
	"encoding/json"
	"net/http"

	"fovea/internal/sigv4"
)

// A signatureError is what a service calls a refused signature.
type signatureError struct {
	name   string
	status int
	prefix string // before the message
}

// badToken is the text that clients look for (CL 1.5).
const badToken = "The security token included in the request is invalid. "

// rekognitionErrors are the names of CL 1.5, all with status 400.
var rekognitionErrors = map[sigv4.Code]signatureError{
	sigv4.MissingAuthentication: {"MissingAuthenticationTokenException", 400, ""},
	sigv4.Unsupported:           {"IncompleteSignatureException", 400, ""},
	sigv4.IncompleteSignature:   {"IncompleteSignatureException", 400, ""},
	sigv4.UnsignedHeader:        {"IncompleteSignatureException", 400, ""},
	sigv4.InvalidSignature:      {"InvalidSignatureException", 400, ""},
	sigv4.UnknownKey:            {"UnrecognizedClientException", 400, badToken},
	sigv4.BadScope:              {"InvalidSignatureException", 400, ""},
	sigv4.Skewed:                {"InvalidSignatureException", 400, "Signature expired: "},
	sigv4.Expired:               {"ExpiredTokenException", 400, ""},
	sigv4.BodyTooLarge:          {"RequestEntityTooLargeException", 413, ""},
	sigv4.IncompleteBody:        {"SerializationException", 400, ""},
}

// lookoutErrors are the names of LV-1.39.
var lookoutErrors = map[sigv4.Code]signatureError{
	sigv4.MissingAuthentication: {"MissingAuthenticationTokenException", 403, ""},
	sigv4.Unsupported:           {"IncompleteSignature", 400, ""},
	sigv4.IncompleteSignature:   {"IncompleteSignature", 400, ""},
	sigv4.UnsignedHeader:        {"IncompleteSignature", 400, ""},
	sigv4.InvalidSignature:      {"InvalidSignatureException", 403, ""},
	sigv4.UnknownKey:            {"UnrecognizedClientException", 403, badToken},
	sigv4.BadScope:              {"InvalidSignatureException", 403, ""},
	sigv4.Skewed:                {"InvalidSignatureException", 403, "Signature expired: "},
	sigv4.Expired:               {"RequestExpired", 400, ""},
	sigv4.BodyTooLarge:          {"RequestEntityTooLargeException", 413, ""},
	sigv4.IncompleteBody:        {"SerializationException", 400, ""},
}

// ownAPI makes an API of a handler: errors in the form of Lookout.
type ownAPI struct{ http.Handler }

// Operation implements API.
func (ownAPI) Operation(r *http.Request) string { return method(r) }

// method returns the request's method if it is a known one: it becomes a label
// of the metrics, which a client must not make up.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// WriteError implements API.
func (ownAPI) WriteError(w http.ResponseWriter, r *http.Request, code string, status int, message string) {
	WriteError(w, code, status, message)
}

// WriteError answers with an error in the form of REST-JSON (LV-1.32, LV-1.33).
func WriteError(w http.ResponseWriter, code string, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"__type": code, "Message": message})
}
