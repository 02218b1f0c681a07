package main

import (
	"io"
	"strings"
	"testing"
)

// TestUsageErrors calls commands as nobody should, and wants to be told how.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"improt photos", "there is no command fovea improt, but fovea import: `fovea --help` lists the commands"},
		{"nonsense", "there is no command fovea nonsense: `fovea --help` lists the commands"},
		{"model nonsense", "there is no command fovea model nonsense: `fovea model --help` lists the commands"},
		{"sdk instal", "there is no command fovea sdk instal, but fovea sdk install: `fovea sdk --help` lists the commands"},
		{"report", "fovea report is called as `fovea report SERVICE/PROJECT/SPLIT [flags]`, and here with 0 arguments: `fovea report --help` tells more"},
		{"check --bogus x", "unknown flag: --bogus: `fovea check --help` lists the flags"},
		{"import photos --service lookout --project a.b --dry-run", `--project "a.b": the name of a project has`},
		{"import photos --service custom-labels --project a/b --dry-run", `--project "a/b": the name of a project has`},
		{"check --workers many x", "`fovea check --help` lists the flags"},
	} {
		root := rootCommand()
		root.SetArgs(strings.Fields(test.args))
		root.SetOut(io.Discard)
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("fovea %s: %v, want %q", test.args, err, test.want)
		}
	}
}

// TestGroupHelp wants the help of commands that only group others.
func TestGroupHelp(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"", "model", "sdk"} {
		var out strings.Builder
		root := rootCommand()
		root.SetArgs(strings.Fields(args))
		root.SetOut(&out)
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), "Available Commands:") {
			t.Errorf("fovea %s: %v, prints %q", args, err, out.String())
		}
	}
}
