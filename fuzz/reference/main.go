// Renders templates with Go's own text/template, for the fuzz target `templates`.
//
// Each line of standard input is a JSON array of {"text", "inputs"}; each is answered with a line that holds a JSON array of
// {"outcome", "output"}, in the same order. Inputs reach a template as JSON strings, and there is one function more than Go has.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/template"
	"time"
)

// A template to be rendered.
type request struct {
	Text   string            `json:"text"`
	Inputs map[string]string `json:"inputs"`
}

// What became of it: "ok", "parse", "execute", "panic" or "slow".
type answer struct {
	Outcome string `json:"outcome"`
	Output  []byte `json:"output"`
	Reason  string `json:"reason"`
}

// The most bytes that a template may print. No template that the other side renders prints so much.
const most = 32 << 20

// How long a template may take.
const longest = 10 * time.Second

// A buffer that refuses to grow without end.
type limited struct{ bytes.Buffer }

func (l *limited) Write(piece []byte) (int, error) {
	if l.Len()+len(piece) > most {
		return 0, errors.New("prints too much")
	}
	return l.Buffer.Write(piece)
}

// Formats with inputs as they were given, not as JSON.
func subst(format string, arguments ...string) (string, error) {
	decoded := make([]any, len(arguments))
	for index, argument := range arguments {
		var text string
		if err := json.Unmarshal([]byte(argument), &text); err != nil {
			return "", err
		}
		decoded[index] = text
	}
	return fmt.Sprintf(format, decoded...), nil
}

func render(asked request) (answered answer) {
	defer func() {
		if problem := recover(); problem != nil {
			answered = answer{Outcome: "panic", Reason: fmt.Sprint(problem)}
		}
	}()
	inputs := make(map[string]string, len(asked.Inputs))
	for name, value := range asked.Inputs {
		encoded, err := json.Marshal(value)
		if err != nil {
			return answer{Outcome: "panic", Reason: err.Error()}
		}
		inputs[name] = string(encoded)
	}
	parsed, err := template.New("job").Funcs(template.FuncMap{"subst": subst}).Parse(asked.Text)
	if err != nil {
		return answer{Outcome: "parse", Reason: err.Error()}
	}
	var out limited
	if err := parsed.Execute(&out, inputs); err != nil {
		return answer{Outcome: "execute", Reason: err.Error()}
	}
	return answer{Outcome: "ok", Output: out.Bytes()}
}

// Renders, but not for ever.
func renderInTime(asked request) answer {
	done := make(chan answer, 1)
	go func() { done <- render(asked) }()
	select {
	case answered := <-done:
		return answered
	case <-time.After(longest):
		return answer{Outcome: "slow"}
	}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var batch []request
		if err := json.Unmarshal(line, &batch); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answers := make([]answer, len(batch))
		for index, asked := range batch {
			answers[index] = renderInTime(asked)
		}
		encoded, err := json.Marshal(answers)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		out.Write(encoded)
		out.WriteByte('\n')
		out.Flush()
	}
}
