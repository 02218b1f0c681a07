package storetest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"fovea"
)

// crashEnv tells a child process which store to open and who it is.
const crashEnv, crashWho = "FOVEA_STORETEST_CRASH", "FOVEA_STORETEST_WHO"

// Crash kills processes that update a store, again and again, and looks whether
// every update that was acknowledged is there and none is there by half (T17).
// The test that calls it does nothing else, because the children run it too.
// open opens the store at a place, for which Crash uses an empty folder.
func Crash(t *testing.T, open func(t *testing.T, where string) fovea.Store) {
	if where := os.Getenv(crashEnv); where != "" {
		crashChild(t, open(t, where), os.Getenv(crashWho))
		return
	}
	where := t.TempDir()
	acknowledged := make([]int, 2)
	for round := range 8 {
		children := make([]*child, len(acknowledged))
		for who := range children {
			children[who] = startChild(t, where, who)
		}
		time.Sleep(rand.N(200 * time.Millisecond))
		for who, c := range children {
			if n := c.kill(t); n > 0 {
				acknowledged[who] = n
			}
		}
		t.Run(fmt.Sprint(round), func(t *testing.T) { checkCrash(t, open(t, where), acknowledged) })
	}
	if acknowledged[0]+acknowledged[1] == 0 {
		t.Error("no update was acknowledged in any round")
	}
}

// crashChild counts for ever, on its own counter and the one of all, and says
// how far it got.
func crashChild(t *testing.T, s fovea.Store, who string) {
	fmt.Println("ready")
	for {
		update(t, s, func(tx fovea.Tx) error {
			if err := increment("of " + who)(tx); err != nil {
				return err
			}
			return increment("all")(tx)
		})
		fmt.Println(view(t, s, func(tx fovea.Tx) (string, error) { return tx.Setting("of " + who) }))
	}
}

func checkCrash(t *testing.T, s fovea.Store, acknowledged []int) {
	sum := 0
	for who := range acknowledged {
		n := count(t, s, fmt.Sprintf("of %d", who))
		// The last update may have been committed and not told.
		if n != acknowledged[who] && n != acknowledged[who]+1 {
			t.Errorf("the store has %d updates of process %d, which was told of %d", n, who, acknowledged[who])
		}
		acknowledged[who] = n
		sum += n
	}
	if all := count(t, s, "all"); all != sum {
		t.Errorf("the common counter is %d, the others' sum %d", all, sum)
	}
}

// count returns a counter, 0 if it was never incremented.
func count(t *testing.T, s fovea.Store, name string) (n int) {
	t.Helper()
	err := s.View(t.Context(), func(tx fovea.Tx) error {
		value, err := tx.Setting(name)
		if err == nil {
			_, err = fmt.Sscan(value, &n)
		}
		return err
	})
	if err != nil && fovea.KindOf(err) != fovea.NotFound {
		t.Fatal(err)
	}
	return n
}

// A child is a process of the running test.
type child struct {
	cmd *exec.Cmd
	out *bufio.Scanner
}

// startChild starts the test that runs as a child, and waits until it works.
func startChild(t *testing.T, where string, who int) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), crashEnv+"="+where, fmt.Sprintf("%s=%d", crashWho, who))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, bufio.NewScanner(out)}
	if !c.out.Scan() || c.out.Text() != "ready" {
		c.kill(t)
		t.Fatalf("the child said %q, %v", c.out.Text(), c.out.Err())
	}
	return c
}

// kill ends the process as a power cut would and returns the last number that
// it said.
func (c *child) kill(t *testing.T) (last int) {
	if err := c.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	for c.out.Scan() {
		if _, err := fmt.Sscan(c.out.Text(), &last); err != nil {
			t.Errorf("a child said %q", c.out.Text())
		}
	}
	c.cmd.Wait() // says that it was killed
	return last
}
