package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve both AWS APIs and S3",
		Long: "Serve Rekognition Custom Labels, Lookout for Vision and S3 at one address. All data\n" +
			"is in one folder; the first start makes it, and a root key pair.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.serve(cmd.Context(), cmd.OutOrStdout()) },
	}
	c.serverFlags(cmd.Flags())
	configFlag(cmd)
	return cmd
}

func (c *config) serve(ctx context.Context, out io.Writer) error {
	log, err := c.logger(os.Stderr)
	if err != nil {
		return err
	}
	if err := c.refuseUnfinished(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	n, err := openNode(ctx, c, log)
	defer func() {
		if err := n.Close(); err != nil {
			log.Error("closing failed", "error", err)
		}
	}()
	if err != nil {
		return err
	}
	c.greet(out, listener.Addr().String(), n.key)
	return n.run(ctx, func(srv *http.Server) error {
		if c.TLSCert != "" {
			return srv.ServeTLS(listener, c.TLSCert, c.TLSKey)
		}
		return srv.Serve(listener)
	})
}

// greet says where the server is and what to type next.
func (c *config) greet(out io.Writer, addr string, key keyPair) {
	data, err := filepath.Abs(c.Data)
	if err != nil {
		data = c.Data
	}
	flags := ""
	for _, f := range []struct {
		name, value string
		needed      bool
	}{
		{"data", data, c.Data != "./fovea-data"},
		{"listen", addr, c.Listen != defaultListen},
		{"region", c.Region, c.Region != defaultRegion},
		{"tls-cert", c.TLSCert, c.TLSCert != ""},
	} {
		if f.needed {
			flags += " --" + f.name + " " + shellQuote(f.value)
		}
	}
	fmt.Fprintf(out, "console  %s        key  %s        data  %s\n\n", c.url(addr), key.ID, data)
	fmt.Fprintf(out, "In another terminal:\n  eval \"$(%s env%s)\"\n", program(), flags)
	fmt.Fprintf(out, "  aws --endpoint-url \"$AWS_ENDPOINT_URL\" rekognition create-project --project-name parts\n\n")
}

// url returns the address of the server as clients on this machine write it.
func (c *config) url(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = addr, ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() || ip != nil && ip.IsLoopback() {
		host = "localhost"
		if ip != nil && ip.IsLoopback() && ip.To4() != nil {
			host = ip.String() // what is listened to, and no other
		}
	}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + strings.TrimSuffix(net.JoinHostPort(host, port), ":")
}

// logger returns a logger of the config's format and level.
func (c *config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %s: it is debug, info, warn or error", c.LogLevel)
	}
	o := &slog.HandlerOptions{Level: level}
	switch c.LogFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, fmt.Errorf("--log-format %s: it is text or json", c.LogFormat)
}
