package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Window is one window of headless Chromium at a keyboard: keys are pressed by the DevTools protocol over a pipe, so that the browser does
// with each what it does with a person's. Its size is that of an old screen, 1024 x 600.
type Window struct {
	cmd     *exec.Cmd
	profile string
	out     *os.File
	session string
	ended   chan struct{}

	mu      sync.Mutex
	next    int
	answers map[int]chan reply
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// keyCodes are keys that write nothing, or more than a character, with their codes in Windows's numbering, which the protocol uses.
var keyCodes = map[string]int{"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "F2": 113, "F4": 115, "Backspace": 8}

// OpenWindow starts Chromium with one window. Close ends it.
func OpenWindow(ctx context.Context) (*Window, error) {
	profile, err := os.MkdirTemp("", "retorno-chromium-")
	if err != nil {
		return nil, err
	}
	w := &Window{profile: profile, ended: make(chan struct{}), answers: map[int]chan reply{}}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(profile))
	}
	if err := w.attach(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// start runs Chromium, which reads commands on descriptor 3 and writes answers on 4.
func (w *Window) start(ctx context.Context) error {
	cmd, err := Command(ctx, w.profile, "--remote-debugging-pipe", "--window-size=1024,600")
	if err != nil {
		return err
	}
	commands, out, err := os.Pipe()
	if err != nil {
		return err
	}
	in, answers, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.ExtraFiles = []*os.File{commands, answers}
	w.cmd, w.out = cmd, out
	err = cmd.Start()
	_, _ = commands.Close(), answers.Close()
	if err != nil {
		return errors.Join(err, out.Close(), in.Close())
	}
	go w.listen(in)
	return nil
}

func (w *Window) listen(in *os.File) {
	defer close(w.ended)
	defer in.Close()
	messages := bufio.NewReader(in)
	for {
		text, err := messages.ReadBytes(0)
		if err != nil {
			return
		}
		var r reply
		if json.Unmarshal(text[:len(text)-1], &r) != nil || r.ID == 0 {
			continue // an event
		}
		w.mu.Lock()
		answer := w.answers[r.ID]
		delete(w.answers, r.ID)
		w.mu.Unlock()
		if answer != nil {
			answer <- r
		}
	}
}

// attach opens the window.
func (w *Window) attach() error {
	var target struct{ TargetID string }
	if err := w.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var session struct{ SessionID string }
	if err := w.Call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session); err != nil {
		return err
	}
	w.session = session.SessionID
	return w.Call("Page.enable", nil, nil)
}

// Call calls a method of the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).
func (w *Window) Call(method string, parameters map[string]any, result any) error {
	answer, err := w.send(method, parameters)
	if err != nil {
		return err
	}
	return w.await(method, answer, result)
}

func (w *Window) send(method string, parameters map[string]any) (chan reply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	message := map[string]any{"id": w.next, "method": method, "params": parameters}
	if parameters == nil {
		message["params"] = map[string]any{}
	}
	if w.session != "" {
		message["sessionId"] = w.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	answer := make(chan reply, 1)
	w.answers[w.next] = answer
	_, err = w.out.Write(append(text, 0))
	return answer, err
}

func (w *Window) await(method string, answer chan reply, result any) error {
	select {
	case r := <-answer:
		switch {
		case r.Error != nil:
			return fmt.Errorf("%s: %s", method, r.Error.Message)
		case result != nil:
			return json.Unmarshal(r.Result, result)
		}
		return nil
	case <-w.ended:
		return fmt.Errorf("%s: chromium ended", method)
	}
}

// Go opens an address and waits until it is loaded.
func (w *Window) Go(address string) error {
	if err := w.Eval(`window.before = true`, nil); err != nil {
		return err
	}
	if err := w.Call("Page.navigate", map[string]any{"url": address}, nil); err != nil {
		return err
	}
	return w.Until(`!window.before && document.readyState === 'complete'`)
}

// Eval evaluates JavaScript and reads its value; a promise is awaited.
func (w *Window) Eval(script string, value any) error {
	var out struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if err := w.Call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &out); err != nil {
		return err
	}
	if x := out.ExceptionDetails; x != nil {
		return fmt.Errorf("%s %s", x.Text, x.Exception.Description)
	}
	if value == nil || out.Result.Value == nil {
		return nil
	}
	return json.Unmarshal(out.Result.Value, value)
}

// patience is how long Until waits.
const patience = 30 * time.Second // of a busy machine

// Until waits until an expression of JavaScript is true.
func (w *Window) Until(condition string) error {
	var last error
	for until := time.Now().Add(patience); time.Now().Before(until); {
		ok := false
		if last = w.Eval("Boolean("+condition+")", &ok); ok {
			return nil
		}
		select {
		case <-w.ended:
			return errors.New("chromium ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.Join(fmt.Errorf("never came true: %s", condition), last)
}

// Press presses keys one after the other without waiting for what they do: a character each, a name such as Enter or F4, or one with Ctrl+
// before it.
func (w *Window) Press(keys ...string) error {
	var last chan reply
	for _, key := range keys {
		for _, event := range []string{"keyDown", "keyUp"} {
			answer, err := w.send("Input.dispatchKeyEvent", keyEvent(event, key))
			if err != nil {
				return err
			}
			last = answer
		}
	}
	if last == nil {
		return nil
	}
	return w.await("Input.dispatchKeyEvent", last, nil)
}

func keyEvent(event, key string) map[string]any {
	out := map[string]any{"type": event, "key": key}
	if rest, ok := strings.CutPrefix(key, "Ctrl+"); ok {
		out["key"], out["modifiers"], key = rest, 2, rest
	}
	switch code, named := keyCodes[key]; {
	case named:
		out["windowsVirtualKeyCode"], out["code"] = code, key
		if key == "Enter" && event == "keyDown" {
			out["text"] = "\r"
		}
	case event == "keyDown":
		out["text"] = key
	}
	return out
}

// Type presses the key of each character of a text.
func (w *Window) Type(text string) error {
	keys := make([]string, 0, utf8.RuneCountInString(text))
	for _, c := range text {
		keys = append(keys, string(c))
	}
	return w.Press(keys...)
}

// Slow makes the processor so many times slower; 1 is its own speed.
func (w *Window) Slow(times int) error {
	return w.Call("Emulation.setCPUThrottlingRate", map[string]any{"rate": times}, nil)
}

// WithoutScript turns the scripts of pages off from the next page on. Eval still works.
func (w *Window) WithoutScript() error {
	return w.Call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
}

// Close ends Chromium.
func (w *Window) Close() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	<-w.ended
	_ = w.out.Close()
	_ = os.RemoveAll(w.profile)
}
