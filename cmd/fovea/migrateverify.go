package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fovea/internal/certificate"
	"fovea/internal/migrate"
)

func migrateVerifyCommand() *cobra.Command {
	var m migration
	cmd := &cobra.Command{
		Use:   "verify CERTIFICATE…",
		Short: "Check certificates of migrations, and what they certify",
		Long: "Check that certificates are as the server signed them, and that the datasets still hold\n" +
			"what was certified: every entry, image and mask is read and compared. What differs is\n" +
			"named, if the entries file is beside the certificate. With --offline only the files are\n" +
			"checked, with a public key that `fovea migrate key` printed.\n\n" +
			"It ends with status 0 if everything is as certified, 1 if not or if a certificate is not\n" +
			"good, and 2 if it could not be checked.",
		Example: "  fovea migrate verify migration/*.certificate.json\n" +
			"  fovea migrate verify --offline --key KEY lookout.cookies.certificate.json",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return m.verify(cmd, args) },
	}
	f := cmd.Flags()
	m.dataFlags(f)
	m.s3Flags(f)
	f.StringVar(&m.key, "key", "", "public key that is trusted (default: that of the server)")
	f.BoolVar(&m.offline, "offline", false, "check the files only, and ask no server; needs --key")
	f.IntVar(&m.workers, "workers", 8, "images that are read at a time")
	f.DurationVar(&m.patience, "patience", 5*time.Minute, "how long to go on trying while a service or the network fails")
	configFlag(cmd)
	return cmd
}

func migrateKeyCommand() *cobra.Command {
	m := migration{patience: reachPatience}
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Print the public key that certificates are checked with",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, _, err := m.destination()
			if err != nil {
				return err
			}
			if err := m.reach(cmd.Context(), server); err != nil {
				return err
			}
			key, err := migrate.PublicKey(cmd.Context(), server)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), base64.StdEncoding.EncodeToString(key))
			return err
		},
	}
	m.dataFlags(cmd.Flags())
	configFlag(cmd)
	return cmd
}

// verify checks certificates, all of them even if one is not good.
func (m *migration) verify(cmd *cobra.Command, paths []string) error {
	check := migrate.Check{Offline: m.offline, Workers: m.workers}
	var err error
	if m.key != "" {
		if check.Key, err = certificate.ParseKey(m.key); err != nil {
			return err
		}
	}
	if m.offline && check.Key == nil {
		return errors.New("--offline needs --key, the public key of the server: `fovea migrate key` prints it")
	}
	if !m.offline {
		if check.Server, check.S3, err = m.destination(); err != nil {
			return err
		}
		if err := m.reach(cmd.Context(), check.Server); err != nil {
			return err
		}
	}
	good := true
	for _, path := range paths {
		p := &counting{}
		check.Path, check.Bar = path, p.show
		v, err := check.Run(cmd.Context())
		p.end()
		if errors.Is(err, certificate.ErrForged) || errors.Is(err, certificate.ErrOtherKey) {
			fmt.Fprintln(cmd.OutOrStdout(), err)
			good = false
			continue
		}
		if err != nil {
			return err
		}
		good = m.tell(cmd, path, v) && good
	}
	if !good {
		return errFailed
	}
	return nil
}

// tell says what a check came to, and reports whether all is as certified.
func (m *migration) tell(cmd *cobra.Command, path string, v *migrate.Verification) bool {
	out := cmd.OutOrStdout()
	s := v.Statement
	fmt.Fprintf(out, "%s: %s/%s, signed %s with the key %s: the signature is good\n", path, s.Service, s.Project, v.Signature.Signed, v.Signature.KeyID)
	if v.Entries != "" && !slices.Contains(v.Problems, v.Entries) {
		fmt.Fprintf(out, "  %s\n", v.Entries)
	}
	for _, p := range v.Problems {
		fmt.Fprintf(out, "  %s\n", p)
	}
	if v.More > 0 {
		fmt.Fprintf(out, "  and %d more\n", v.More)
	}
	switch {
	case len(v.Problems) > 0:
		fmt.Fprintln(out, "  NOT as certified")
	case m.offline:
		fmt.Fprintln(out, "  the files are as they were signed; the datasets were not looked at")
	default:
		fmt.Fprintln(out, "  everything is in the destination as certified")
	}
	if !s.Equal {
		fmt.Fprintf(out, "  (when it was certified, the destination was not equal to the source: %d entries differed)\n", s.Differences)
	}
	return len(v.Problems) == 0
}
