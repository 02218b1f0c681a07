package main

import (
	"bytes"
	"encoding/json"
)

// A serviceModel is the form in which botocore keeps a client: the form of the
// descriptions, version 2.
type serviceModel struct {
	Version    string             `json:"version"`
	Metadata   metadata           `json:"metadata"`
	Operations ordered[operation] `json:"operations"`
	Shapes     ordered[*shape]    `json:"shapes"`
}

// A pager tells botocore's paginators how an operation is paged.
type pager struct {
	InputToken  string `json:"input_token"`
	OutputToken string `json:"output_token"`
	LimitKey    string `json:"limit_key"`
	ResultKey   string `json:"result_key"`
}

// writeBotocore adds the files from which botocore makes a client, as dir.
func writeBotocore(files map[string][]byte, dir string, m *model) error {
	sm := serviceModel{Version: "2.0", Metadata: m.Metadata}
	for _, op := range m.Operations {
		sm.Operations = append(sm.Operations, named[operation]{op.Name, op})
	}
	for _, s := range m.Shapes {
		sm.Shapes = append(sm.Shapes, named[*shape]{s.Name, s})
	}
	pagers := map[string]map[string]pager{"pagination": m.pagers()}
	for name, content := range map[string]any{"service-2.json": sm, "paginators-1.json": pagers} {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetIndent("", " ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(content); err != nil {
			return err
		}
		files[dir+"/"+name] = b.Bytes()
	}
	return nil
}

// pagers returns how the operations with page tokens are paged (LV-2.99).
func (m *model) pagers() map[string]pager {
	pagers := make(map[string]pager)
	for _, op := range m.Operations {
		in, out := m.find(op.Input.Shape), m.find(op.Output.Shape)
		if !in.has("NextToken") || !in.has("MaxResults") || !out.has("NextToken") {
			continue
		}
		for _, member := range out.Members {
			if m.find(member.Value.Shape).Type == "list" {
				pagers[op.Name] = pager{"NextToken", "NextToken", "MaxResults", member.Name}
			}
		}
	}
	return pagers
}
