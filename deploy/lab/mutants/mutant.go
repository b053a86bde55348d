package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutant is a package's file with one mistake in it.
type mutant struct {
	file   string
	line   int
	what   string // such as "dropped", and the text it is about
	source []byte // of the whole file, with the mistake
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d: %s", m.file, m.line, m.what) }

// mutantsOf makes all mutants of a folder's files but the tests and generated code.
func mutantsOf(dir string) ([]mutant, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		of, err := mutantsOfFile(file, source)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

func mutantsOfFile(file string, source []byte) ([]mutant, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.ParseComments)
	if err != nil || ast.IsGenerated(parsed) {
		return nil, err
	}
	var all []mutant
	replace := func(n ast.Node, what, with string) {
		from, to := set.Position(n.Pos()), set.Position(n.End())
		text, _, more := strings.Cut(string(source[from.Offset:to.Offset]), "\n")
		if more {
			text += " …"
		}
		all = append(all, mutant{file: file, line: from.Line, what: what + ": " + text,
			source: slices.Concat(source[:from.Offset], []byte(with), source[to.Offset:])})
	}
	neverTrue := func(cond ast.Expr, what string) {
		text := source[set.Position(cond.Pos()).Offset:set.Position(cond.End()).Offset]
		replace(cond, what, "("+string(text)+") && false")
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			dropEach(n.List, replace, neverTrue)
		case *ast.CaseClause:
			dropEach(n.Body, replace, neverTrue)
		case *ast.CommClause:
			dropEach(n.Body, replace, neverTrue)
		case *ast.IfStmt:
			if isFault(n.Cond) {
				neverTrue(n.Cond, "error ignored")
			}
		}
		return true
	})
	return all, nil
}

// dropEach makes a mutant without each statement that does something. A definition is not dropped, for what follows
// would not compile; nor is a return, for the same reason, unless it leaves a branch early.
func dropEach(list []ast.Stmt, replace func(n ast.Node, what, with string), neverTrue func(cond ast.Expr, what string)) {
	for _, statement := range list {
		switch s := statement.(type) {
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.BranchStmt:
			replace(s, "dropped", "")
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				replace(s, "dropped", blanked(s))
			}
		case *ast.IfStmt:
			if s.Else == nil && s.Init == nil && !isFault(s.Cond) {
				neverTrue(s.Cond, "branch dropped")
			}
		}
	}
}

// blanked keeps the variables of an assignment used, so that what is left compiles.
func blanked(s *ast.AssignStmt) string {
	for _, left := range s.Lhs {
		if id, ok := left.(*ast.Ident); ok && id.Name != "_" {
			return "_ = " + id.Name
		}
	}
	return ""
}

// isFault reports whether a condition asks for an error that is there: err != nil, and nothing else.
func isFault(cond ast.Expr) bool {
	c, ok := cond.(*ast.BinaryExpr)
	if !ok || c.Op != token.NEQ {
		return false
	}
	left, ok := c.X.(*ast.Ident)
	right, nothing := c.Y.(*ast.Ident)
	return ok && nothing && strings.HasSuffix(strings.ToLower(left.Name), "err") && right.Name == "nil"
}
