//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"syscall"
)

// serverUser gives the folder to the user that is to run the server, and
// returns how to start a process of that user. PostgreSQL refuses to run as
// root; then it runs as the user of its package, or as nobody.
func serverUser(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	uid, gid, err := lookupID("postgres")
	if err != nil {
		uid, gid, err = lookupID("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}, os.Chown(dir, int(uid), int(gid))
}
