package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func envCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the environment that points AWS clients at the server",
		Long: "Print the environment that points AWS clients at the server, one export a line:\n\n" +
			"  eval \"$(fovea env)\"\n\n" +
			"AWS clients released since about July 2023 read AWS_ENDPOINT_URL; give older ones\n" +
			"--endpoint-url \"$AWS_ENDPOINT_URL\" (AWS CLI) or endpoint_url= (boto3).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := c.existingKey()
			if err != nil {
				return err
			}
			for _, v := range c.environment(key) {
				fmt.Fprintf(cmd.OutOrStdout(), "export %s=%s\n", v[0], shellQuote(v[1]))
			}
			return nil
		},
	}
	c.dataFlags(cmd.Flags())
	configFlag(cmd)
	return cmd
}

// environment returns the variables that AWS clients read, with their values.
// Some clients know the region by one name only, some by the other.
func (c *config) environment(key keyPair) [][2]string {
	return [][2]string{
		{"AWS_ENDPOINT_URL", c.url(c.Listen)},
		{"AWS_ACCESS_KEY_ID", key.ID},
		{"AWS_SECRET_ACCESS_KEY", key.Secret},
		{"AWS_REGION", c.Region},
		{"AWS_DEFAULT_REGION", c.Region},
	}
}

// shellQuote returns a text as a shell reads it back: as it is if it has only
// characters that mean nothing to a shell.
func shellQuote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
