package s3api

import (
	"net/http"
	"slices"
	"strings"
)

// An operation answers a request. An error it returns is answered for it.
type operation func(*request) error

// subresources are the parameters that choose an operation, in the order of
// their force.
var subresources = []string{"uploadId", "uploads", "delete", "versions", "versioning", "location", "cors", "policy", "policyStatus",
	"acl", "tagging", "attributes", "lifecycle", "encryption", "publicAccessBlock", "ownershipControls", "website", "object-lock",
	"replication", "notification", "logging", "accelerate", "requestPayment", "legal-hold", "retention", "torrent", "restore", "select",
	"analytics", "inventory", "metrics", "intelligent-tiering", "session", "abac", "metadataConfiguration", "metadataTable",
	"renameObject", "append", "annotation", "annotations"}

// operations are keyed by what the request addresses, its method and its
// subresource.
var operations = map[string]operation{
	"service GET": listBuckets,

	"bucket PUT":                   createBucket,
	"bucket HEAD":                  headBucket,
	"bucket DELETE":                deleteBucket,
	"bucket GET":                   listObjects,
	"bucket GET versions":          listVersions,
	"bucket GET uploads":           listUploads,
	"bucket POST delete":           deleteObjects,
	"bucket GET location":          getLocation,
	"bucket GET versioning":        getVersioning,
	"bucket PUT versioning":        putVersioning,
	"bucket GET cors":              getDocument("cors", "NoSuchCORSConfiguration"),
	"bucket PUT cors":              putCORS,
	"bucket DELETE cors":           deleteDocument("cors"),
	"bucket GET policy":            getPolicy,
	"bucket PUT policy":            putPolicy,
	"bucket DELETE policy":         deleteDocument("policy"),
	"bucket GET policyStatus":      getPolicyStatus,
	"bucket GET tagging":           getDocument("tagging", "NoSuchTagSet"),
	"bucket PUT tagging":           putBucketTagging,
	"bucket DELETE tagging":        deleteDocument("tagging"),
	"bucket GET acl":               getACL,
	"bucket PUT acl":               putACL,
	"bucket GET lifecycle":         absent("NoSuchLifecycleConfiguration"),
	"bucket GET encryption":        absent("ServerSideEncryptionConfigurationNotFoundError"),
	"bucket GET publicAccessBlock": absent("NoSuchPublicAccessBlockConfiguration"),
	"bucket GET ownershipControls": absent("OwnershipControlsNotFoundError"),
	"bucket GET website":           absent("NoSuchWebsiteConfiguration"),
	"bucket GET object-lock":       absent("ObjectLockConfigurationNotFoundError"),
	"bucket GET replication":       absent("ReplicationConfigurationNotFoundError"),
	"bucket GET notification":      empty("NotificationConfiguration"),
	"bucket GET logging":           empty("BucketLoggingStatus"),
	"bucket GET accelerate":        empty("AccelerateConfiguration"),
	"bucket GET requestPayment":    getRequestPayment,

	"object PUT":               putObject,
	"object PUT copy":          copyObject,
	"object GET":               getObjectOp,
	"object HEAD":              getObjectOp,
	"object DELETE":            deleteObject,
	"object GET tagging":       getObjectTagging,
	"object PUT tagging":       putObjectTagging,
	"object DELETE tagging":    deleteObjectTagging,
	"object GET acl":           getACL,
	"object PUT acl":           putACL,
	"object GET attributes":    getAttributes,
	"object POST uploads":      createUpload,
	"object PUT uploadId":      uploadPart,
	"object PUT uploadId copy": uploadPartCopy,
	"object GET uploadId":      listParts,
	"object POST uploadId":     completeUpload,
	"object DELETE uploadId":   abortUpload,
}

// route returns the operation that the request asks for.
func (q *request) route() (operation, error) {
	name := q.level() + " " + q.Method
	if i := slices.IndexFunc(subresources, q.query.Has); i >= 0 {
		name += " " + subresources[i]
	}
	if q.Method == http.MethodPut && q.header("X-Amz-Copy-Source") != "" {
		name += " copy"
	}
	if op := operations[name]; op != nil {
		return op, nil
	}
	if strings.Count(name, " ") > 1 || q.Method == http.MethodPost {
		return nil, errorf("NotImplemented", "A header or query you provided implies functionality that is not implemented: %s.", name)
	}
	return nil, errorf("MethodNotAllowed", "The specified method is not allowed against this resource: %s.", name)
}

// level returns what the request addresses.
func (q *request) level() string {
	switch {
	case q.bucket == "":
		return "service"
	case q.key == "":
		return "bucket"
	}
	return "object"
}
