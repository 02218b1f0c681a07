package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"fovea/internal/demo"
)

func demoCommand() *cobra.Command {
	var c config
	var exit bool
	var keep string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole story on a throw-away data folder",
		Long: "Start a server on a throw-away data folder, draw images of its own, upload them with\n" +
			"their manifests, create datasets of both services through the AWS SDKs, say what was\n" +
			"found, train a model on a part of the images and have it judge others. It takes some ten\n" +
			"seconds on two processors. The server runs on until Ctrl-C.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.demo(cmd.Context(), cmd.OutOrStdout(), exit, keep)
		},
	}
	c.serverFlags(cmd.Flags())
	for _, name := range []string{"data", "database", "blobs", "s3-endpoint", "s3-region", "s3-access-key", "s3-secret-key", "s3-path-style"} {
		cmd.Flags().MarkHidden(name)
	}
	cmd.Flags().Lookup("data").DefValue = ""
	cmd.Flags().BoolVar(&exit, "exit", false, "end when the story is told")
	cmd.Flags().StringVar(&keep, "keep-images", "", "folder to keep the drawn images in; its lids/ can be imported")
	configFlag(cmd)
	return cmd
}

// demo serves from a folder that is gone afterwards.
func (c *config) demo(ctx context.Context, out io.Writer, exit bool, keep string) error {
	// Who closes the terminal should find nothing either.
	ctx, forget := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer forget()
	dir, err := os.MkdirTemp("", "fovea-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// The environment may name a real server's.
	c.Data, c.Database, c.Blobs, c.S3Endpoint = dir, "", "", ""
	c.TLSCert, c.TLSKey, c.LogLevel = "", "", "warn"
	// Nobody else uses the server while it trains.
	c.TrainingCores = cmp.Or(c.TrainingCores, runtime.GOMAXPROCS(0))
	log, err := c.logger(os.Stderr)
	if err != nil {
		return err
	}
	listener, err := c.demoListener()
	if err != nil {
		return err
	}
	defer listener.Close()
	n, err := openNode(ctx, c, log)
	defer func() {
		if err := n.Close(); err != nil {
			log.Error("closing failed", slog.Any("error", err))
		}
	}()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.run(ctx, func(s *http.Server) error { return s.Serve(listener) }) })
	g.Go(func() error {
		err := demo.Run(ctx, demo.Config{
			Endpoint: c.url(listener.Addr().String()), Data: dir,
			AccessKey: n.key.ID, SecretKey: n.key.Secret, Region: c.Region,
			Out: out, Terminal: isTerminal(os.Stdout), KeepImages: keep,
			Exits: exit, Program: program(),
		})
		if errors.Is(err, context.Canceled) {
			err = nil // Ctrl-C in the middle of the story
		}
		if err != nil || exit {
			stop()
			return err
		}
		fmt.Fprintln(out, "\nThe server runs until Ctrl-C and keeps nothing; one that keeps all: "+program()+" serve")
		return nil
	})
	return g.Wait()
}

// demoListener listens where it is told to, or, if that is taken and nobody
// asked for it, on any free port.
func (c *config) demoListener() (net.Listener, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil && c.Listen == defaultListen {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

// program returns what the user types to run this program.
func program() string {
	path, _ := os.Executable() // if it cannot be told, it is not go run's
	return typed(path, os.Args[0])
}

// typed returns what was typed to run the program at a path that was called so:
// that, but for `go run`, which keeps it where nobody would look for it.
func typed(path, called string) string {
	switch {
	case strings.Contains(path, "go-build"):
		return "go run ./cmd/fovea"
	case strings.ContainsRune(called, os.PathSeparator):
		return shellQuote(called)
	}
	return "fovea"
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
