// Package clickhouse is what an administrator gives the commands of retorno on a ClickHouse server: a role with its
// rights and its limits for each (roles.sql), and the server's time zone (timezone.xml). The embedded engine takes the same
// files, so that whatever the tests show of a role or of a zone holds for what administrators use.
package clickhouse

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed roles.sql
var rolesSQL string

//go:embed timezone.xml
var timezoneXML string

// Zone is the time zone of timezone.xml.
func Zone() string {
	_, after, _ := strings.Cut(timezoneXML, "<timezone>")
	zone, _, _ := strings.Cut(after, "</timezone>")
	return zone
}

// Role is a role of roles.sql.
type Role struct {
	Name   string
	Grants []string // what it may do: "SELECT ON ceniss.*"
	Limits []Limit  // settings in force for its users, from the settings profile that is given to it
}

// PublicRole is the role of `retorno serve`.
const PublicRole = "ceniss_public"

var selectForm = regexp.MustCompile(`^SELECT(?:\(([\w, ]+)\))? ON (\w+)\.(\w+|\*)$`)

// Reads reports whether the role may read a column of a table.
func (r Role) Reads(database, table, column string) bool {
	return slices.ContainsFunc(r.Grants, func(grant string) bool {
		m := selectForm.FindStringSubmatch(grant)
		return m != nil && m[2] == database && (m[3] == table || m[3] == "*") && (m[1] == "" || slices.Contains(strings.Split(m[1], ", "), column))
	})
}

// Limit is a setting with its bounds, as ClickHouse writes them; Min and Max are "" when there is none.
type Limit struct{ Name, Value, Min, Max string }

var (
	roleForm    = regexp.MustCompile(`(?s)^CREATE ROLE IF NOT EXISTS (\w+)$`)
	grantForm   = regexp.MustCompile(`(?s)^GRANT (.+) TO (\w+)$`)
	profileForm = regexp.MustCompile(`(?s)^CREATE SETTINGS PROFILE IF NOT EXISTS \w+ SETTINGS\s+(.+)\s+TO (\w+)$`)
	quotaForm   = regexp.MustCompile(`(?s)^CREATE QUOTA IF NOT EXISTS `)
	limitForm   = regexp.MustCompile(`^(\w+) = (\w+)(?: MIN (\w+))?(?: MAX (\w+))?$`)
)

// Roles are the roles of roles.sql in its order. An error means that the program was built from a broken tree.
func Roles() ([]Role, error) {
	var roles []Role
	find := func(name string) (*Role, error) {
		i := slices.IndexFunc(roles, func(r Role) bool { return r.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("roles.sql: role %s is used before it is made", name)
		}
		return &roles[i], nil
	}
	for _, statement := range Statements() {
		if m := roleForm.FindStringSubmatch(statement); m != nil {
			roles = append(roles, Role{Name: m[1]})
		} else if m := grantForm.FindStringSubmatch(statement); m != nil {
			role, err := find(m[2])
			if err != nil {
				return nil, err
			}
			role.Grants = append(role.Grants, m[1])
		} else if m := profileForm.FindStringSubmatch(statement); m != nil {
			role, err := find(m[2])
			if err == nil {
				role.Limits, err = limits(m[1])
			}
			if err != nil {
				return nil, err
			}
		} else if !quotaForm.MatchString(statement) {
			return nil, fmt.Errorf("roles.sql: not understood: %s", statement)
		}
	}
	return roles, nil
}

func limits(text string) ([]Limit, error) {
	var all []Limit
	for _, one := range strings.Split(text, ",") {
		m := limitForm.FindStringSubmatch(strings.TrimSpace(one))
		if m == nil {
			return nil, fmt.Errorf("roles.sql: not a setting with its bounds: %s", one)
		}
		all = append(all, Limit{Name: m[1], Value: m[2], Min: m[3], Max: m[4]})
	}
	return all, nil
}

// Statements are those of roles.sql, without comments and closing semicolons.
func Statements() []string {
	var lines []string
	for line := range strings.Lines(rolesSQL) {
		if !strings.HasPrefix(line, "--") {
			lines = append(lines, line)
		}
	}
	var all []string
	for _, statement := range strings.Split(strings.Join(lines, ""), ";") {
		if statement = strings.TrimSpace(statement); statement != "" {
			all = append(all, statement)
		}
	}
	return all
}
