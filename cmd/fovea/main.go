// Command fovea serves Amazon Rekognition Custom Labels and Amazon Lookout for
// Vision, and works with their data sets from the command line.
//
// This package parses flags, wires the packages together (node) and says what
// happens; everything else is below.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses: a check that failed is not a command that failed.
const (
	exitFailed = 1
	exitUsage  = 2
)

// errFailed ends a command with status 1 after it has said why by itself.
var errFailed = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	err := rootCommand().ExecuteContext(ctx)
	switch {
	case errors.Is(err, errFailed):
		os.Exit(exitFailed)
	case err != nil:
		fmt.Fprintln(os.Stderr, "fovea:", err)
		os.Exit(exitUsage)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "fovea",
		Short: "Custom Labels and Lookout for Vision in one program you run yourself",
		Long: "fovea is Amazon Rekognition Custom Labels and Amazon Lookout for Vision in one\n" +
			"program you run yourself. Start it with `fovea serve` and point an AWS SDK at it,\n" +
			"or see the whole story with `fovea demo`.\n\n" +
			"Every flag has an environment twin: --s3-endpoint is FOVEA_S3_ENDPOINT. A file of\n" +
			"lines `name = value`, named with --config, sets flags too; flags win, then the\n" +
			"environment, then the file.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.AddCommand(serveCommand(), envCommand(), demoCommand(), checkCommand(), reportCommand(), sdkCommand(),
		logCommand(), diffCommand(), restoreCommand(), verifyCommand(), backupCommand(), migrateCommand())
	root.AddCommand(importCommand(), exportCommand(), modelCommand(), backboneCommand())
	explainUsage(root)
	return root
}

// version returns the version that the build knows of.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
