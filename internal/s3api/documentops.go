package s3api

import (
	"encoding/json"
	"net/http"
)

// getDocument answers what a client stored, or the error for nothing.
func getDocument(kind, code string) operation {
	return func(q *request) error {
		doc, err := q.s.Store.document(q.Context(), q.bucket, kind)
		if err != nil {
			return err
		}
		if doc == nil {
			return errorf(code, "The bucket %s has no %s configuration.", q.bucket, kind)
		}
		q.w.Header().Set("Content-Type", "application/xml")
		q.w.WriteHeader(http.StatusOK)
		q.wrote = true
		_, err = q.w.Write(doc)
		return err
	}
}

func deleteDocument(kind string) operation {
	return func(q *request) error {
		if err := q.s.Store.putDocument(q.Context(), q.bucket, kind, nil); err != nil {
			return err
		}
		return q.done(http.StatusNoContent)
	}
}

// absent answers for a kind of configuration that no bucket has here.
func absent(code string) operation {
	return func(q *request) error {
		if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
			return err
		}
		return errorf(code, "The bucket %s has no such configuration.", q.bucket)
	}
}

// empty answers an empty configuration.
func empty(name string) operation {
	return func(q *request) error {
		if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
			return err
		}
		return q.answer(name, struct{}{})
	}
}

func getRequestPayment(q *request) error {
	if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
		return err
	}
	return q.answer("RequestPaymentConfiguration", struct{ Payer string }{"BucketOwner"})
}

// A policy is stored so that clients find what they put. It is not enforced.
func putPolicy(q *request) error {
	doc, err := q.readAll()
	if err != nil {
		return err
	}
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal(doc, &policy); err != nil || len(policy.Statement) == 0 {
		return errorf("MalformedPolicy", "Policies must be valid JSON with a Statement.")
	}
	if err := q.s.Store.putDocument(q.Context(), q.bucket, "policy", doc); err != nil {
		return err
	}
	return q.done(http.StatusNoContent)
}

func getPolicy(q *request) error {
	doc, err := q.s.Store.document(q.Context(), q.bucket, "policy")
	if err != nil {
		return err
	}
	if doc == nil {
		return errorf("NoSuchBucketPolicy", "The bucket policy does not exist: %s", q.bucket)
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(http.StatusOK)
	q.wrote = true
	_, err = q.w.Write(doc)
	return err
}

func getPolicyStatus(q *request) error {
	if doc, err := q.s.Store.document(q.Context(), q.bucket, "policy"); err != nil {
		return err
	} else if doc == nil {
		return errorf("NoSuchBucketPolicy", "The bucket policy does not exist: %s", q.bucket)
	}
	return q.answer("PolicyStatus", struct{ IsPublic bool }{false})
}
