package apachekafka_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"retorno/deploy/lab/apachekafka"
)

func TestMissingPrograms(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("PATH", empty)
	_, err := apachekafka.Start(t.Context(), apachekafka.Config{})
	if err == nil || !strings.Contains(err.Error(), "java is not on the PATH") {
		t.Errorf("without java: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := os.WriteFile(filepath.Join(empty, "java"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = apachekafka.Start(t.Context(), apachekafka.Config{})
	if err == nil || !strings.Contains(err.Error(), "mvn is not on the PATH") {
		t.Errorf("without mvn: %v", err)
	}
}

func TestStartKillRestartStop(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s, err := apachekafka.Start(ctx, apachekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	addr, first := s.Addr(), s.PID()
	s.Kill()
	if err := s.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if s.Addr() != addr || s.PID() == first {
		t.Errorf("restarted at %s as %d, was at %s as %d", s.Addr(), s.PID(), addr, first)
	}
	second := s.PID()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(second, 0); err == nil {
		t.Errorf("process %d outlived Stop", second)
	}
}
