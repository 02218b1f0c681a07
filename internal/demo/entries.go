package demo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// listedErrors returns the codes that ListDatasetEntries tells of the entries
// with errors, by their source-ref.
func (s *story) listedErrors(ctx context.Context, arn string) (map[string]map[string]bool, error) {
	out := make(map[string]map[string]bool)
	yes := true
	pages := rekognition.NewListDatasetEntriesPaginator(s.custom, &rekognition.ListDatasetEntriesInput{DatasetArn: &arn, HasErrors: &yes})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the entries of %s: %w", arn, err)
		}
		for _, text := range page.DatasetEntries {
			var entry map[string]any
			if err := json.Unmarshal([]byte(text), &entry); err != nil {
				return nil, fmt.Errorf("an entry of %s: %w", arn, err)
			}
			ref, _ := entry["source-ref"].(string)
			out[ref] = make(map[string]bool)
			collectErrors(entry, out[ref])
		}
	}
	return out, nil
}

// collectErrors adds the codes of every list cl-errors inside a JSON value:
// they are with what is wrong, at any depth (CL-6.61).
func collectErrors(v any, codes map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			collectErrors(e, codes)
		}
	case map[string]any:
		list, _ := v["cl-errors"].([]any)
		for _, e := range list {
			if e, ok := e.(map[string]any); ok {
				code, _ := e["code"].(string)
				codes[code] = true
			}
		}
		for _, e := range v {
			collectErrors(e, codes)
		}
	}
}

// value returns what p points to, or zero: the SDKs have pointers for what a
// response may lack.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
