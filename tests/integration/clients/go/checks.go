// Clients in Go: pgx and lib/pq, one program each by its first argument. Each check is one line of JSON on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

var owner, reader = os.Getenv("SEG_CLIENT_OWNER"), os.Getenv("SEG_CLIENT_READER")

type check struct {
	name string
	run  func()
}

// runChecks runs them in their order; a check that panics has failed, and the next one runs.
func runChecks(checks []check) {
	for _, each := range checks {
		report(each)
	}
}

func report(each check) {
	defer func() {
		line := map[string]any{"check": each.name, "ok": true}
		if failure := recover(); failure != nil {
			line["ok"], line["error"] = false, fmt.Sprint(failure)
		}
		text, _ := json.Marshal(line)
		fmt.Println(string(text))
	}()
	each.run()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(actual, expected any) {
	if fmt.Sprint(actual) != fmt.Sprint(expected) {
		panic(fmt.Sprintf("%v instead of %v", actual, expected))
	}
}

// many are 300 parameters of one statement, which add up to sumOfMany.
func many() (places string, values []any) {
	each := make([]string, 300)
	for at := range each {
		each[at] = fmt.Sprintf("($%d::int)", at+1)
		values = append(values, at+1)
	}
	return strings.Join(each, ", "), values
}

const sumOfMany = 45150

func main() {
	if os.Args[1] == "pgx" {
		withPgx()
	} else {
		withPq()
	}
}
