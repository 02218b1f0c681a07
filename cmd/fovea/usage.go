package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// explainUsage makes a command and all below it say, of flags and arguments
// that they do not take, how they are called and where to read on. A command
// that only groups others refuses the names that it does not know, instead of
// printing its help as if all were well.
func explainUsage(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: `%s --help` lists the flags", err, cmd.CommandPath())
	})
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		cmd.Args = func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) }
	} else if takes := cmd.Args; takes != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if takes(cmd, args) == nil {
				return nil
			}
			return fmt.Errorf("%s is called as `%s`, and here with %s: `%s --help` tells more",
				cmd.CommandPath(), cmd.UseLine(), plural(int64(len(args)), "argument", "arguments"), cmd.CommandPath())
		}
	}
	for _, sub := range cmd.Commands() {
		explainUsage(sub)
	}
}

// unknownCommand returns an error if there are arguments, of which the first
// is then the name of no command.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	cmd.SuggestionsMinimumDistance = 2 // letters that are wrong
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		hint = fmt.Sprintf(", but %s %s", cmd.CommandPath(), like[0])
	}
	return fmt.Errorf("there is no command %s %s%s: `%s --help` lists the commands", cmd.CommandPath(), args[0], hint, cmd.CommandPath())
}
