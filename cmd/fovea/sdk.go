package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"fovea/internal/sdkmodel"
)

func sdkCommand() *cobra.Command {
	sdk := &cobra.Command{Use: "sdk", Short: "Help AWS SDKs to talk to fovea"}
	var dir string
	install := &cobra.Command{
		Use:   "install",
		Short: "Give the AWS CLI and boto3 their lookoutvision client back",
		Long: "Amazon took Lookout for Vision out of the AWS CLI and boto3. This writes a service\n" +
			"model from which both make that client again. Nothing else of them changes.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				home, err := os.UserHomeDir()
				if err != nil {
					return err
				}
				dir = filepath.Join(home, ".aws", "models")
			}
			files, err := sdkmodel.Install(dir)
			if err != nil {
				return err
			}
			for _, f := range files {
				fmt.Fprintln(cmd.OutOrStdout(), "wrote", f)
			}
			if dir != defaultModels() {
				fmt.Fprintf(cmd.OutOrStdout(), "\nThe clients look here when told to: export AWS_DATA_PATH=%s\n", dir)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "\nTry: aws --endpoint-url \"$AWS_ENDPOINT_URL\" lookoutvision list-projects")
			return nil
		},
	}
	install.Flags().StringVar(&dir, "dir", "", "folder of service models (default: ~/.aws/models)")
	sdk.AddCommand(install)
	return sdk
}

// defaultModels returns the folder that the clients look in by themselves.
func defaultModels() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".aws", "models")
}
