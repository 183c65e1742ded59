package hubspot

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"leadgate/intake"
)

// definition is a property as HubSpot has it.
type definition struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Unique  bool     `json:"hasUniqueValue"`
	Options []option `json:"options"`
	// Calculated says that HubSpot alone writes it.
	Calculated bool `json:"calculated"`
}

// option is a value of a choice.
type option struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Order  int    `json:"displayOrder"`
	Hidden bool   `json:"hidden"`
}

// singular is what one record of a kind is called.
var singular = map[string]string{deals: "deal", companies: "company", contacts: "contact"}

// Verify reads the account, its properties, pipelines and owners, and tries with calls that change
// nothing whether it may write.
func (c *Connector) Verify(ctx context.Context) ([]intake.Lack, error) {
	lacks, err := c.verify(ctx)
	if err != nil {
		return nil, c.fail("verify", "the set-up", err)
	}
	return lacks, nil
}

// audit is a look at the set-up that goes on where something is forbidden.
type audit struct {
	c     *Connector
	lacks []intake.Lack
}

func (a *audit) lack(mend, format string, args ...any) {
	l := intake.Lack{What: fmt.Sprintf(format, args...), Mend: mend}
	if !slices.Contains(a.lacks, l) {
		a.lacks = append(a.lacks, l)
	}
}

const mendScope = "add it to the key or the app; an app has to be installed again then"

// allowed notes the scope that a call was refused for, and returns any other error.
func (a *audit) allowed(err error, scope string) (bool, error) {
	r := refused(err)
	if r == nil || r.status != http.StatusForbidden {
		return err == nil, err
	}
	scopes := r.scopes()
	if len(scopes) == 0 {
		scopes = []string{scope}
	}
	for _, s := range scopes {
		a.lack(mendScope, "scope %s", s)
	}
	return false, nil
}

func (c *Connector) verify(ctx context.Context) ([]intake.Lack, error) {
	a := &audit{c: c}
	if _, err := c.details(ctx); err != nil {
		return nil, err
	}
	for _, kind := range kinds() {
		there, err := c.definitions(ctx, kind)
		if ok, err := a.allowed(err, "crm.schemas."+kind+".read"); err != nil {
			return nil, err
		} else if ok {
			a.properties(kind, there)
		}
	}
	if err := a.rights(ctx); err != nil {
		return nil, err
	}
	if err := a.mapping(ctx); err != nil {
		return nil, err
	}
	slices.SortStableFunc(a.lacks, func(x, y intake.Lack) int { return strings.Compare(x.What, y.What) })
	return a.lacks, nil
}

// definitions reads the properties of a kind.
func (c *Connector) definitions(ctx context.Context, kind string) (map[string]definition, error) {
	var out struct {
		Results []definition `json:"results"`
	}
	_, err := c.call(ctx, http.MethodGet, c.path("properties", "/"+kind+"?archived=false"), nil, &out)
	if err == nil && len(out.Results) == 0 {
		err = errAnswer
	}
	all := make(map[string]definition)
	for _, d := range out.Results {
		all[d.Name] = d
	}
	return all, err
}

// properties looks at those that are ours and those that the mapping names.
func (a *audit) properties(kind string, there map[string]definition) {
	for _, p := range schema()[kind] {
		d, ok := there[p.name]
		what := singular[kind] + " property " + p.name
		switch {
		case !ok:
			a.lacks = append(a.lacks, intake.Lack{What: what, Mend: "leadgate crm setup makes it", Setup: true})
		case d.Type != p.form.Type || p.unique && !d.Unique:
			a.lack("archive the property, and have leadgate crm setup make it", "%s of type %s%s", what, p.form.Type, map[bool]string{true: " with unique values"}[p.unique])
		case len(d.lacking(p)) > 0:
			a.lacks = append(a.lacks, intake.Lack{
				What: fmt.Sprintf("options %s of %s", strings.Join(d.lacking(p), ", "), what), Mend: "leadgate crm setup adds them", Setup: true,
			})
		}
	}
	for ours, name := range a.c.config.Mapping.Fields.of(kind) {
		d, ok := there[name]
		switch wrong := d.unfit(prefix + ours); {
		case !ok:
			a.lack("make it, or change mapping.fields", "%s property %s", singular[kind], name)
		case wrong != "":
			a.lack("change mapping.fields", "%s property %s for %s, %s", singular[kind], name, ours, wrong)
		}
	}
	for name, value := range a.c.config.Mapping.Defaults.of(kind) {
		d, ok := there[name]
		switch {
		case !ok:
			a.lack("make it, or change mapping.defaults", "%s property %s", singular[kind], name)
		case len(d.Options) > 0 && !slices.ContainsFunc(strings.Split(value, ";"), func(v string) bool { return d.has(v) }):
			a.lack("add it, or change mapping.defaults", "option %s of %s property %s", value, singular[kind], name)
		}
	}
}

// unfit says what a property would have to be for a value of own to be written into it; "" if it is.
func (d definition) unfit(name string) string {
	i := slices.IndexFunc(own, func(p property) bool { return p.name == name })
	if i < 0 {
		return ""
	}
	p := own[i]
	switch {
	case d.Calculated:
		return "that can be written"
	case d.Type == text.Type:
		return ""
	case d.Type != p.form.Type:
		return "of type " + p.form.Type
	case len(d.lacking(p)) > 0:
		return "with its options"
	}
	return ""
}

func (d definition) has(value string) bool {
	return slices.ContainsFunc(d.Options, func(o option) bool { return o.Value == value })
}

// lacking are the options that a choice of ours does not have there.
func (d definition) lacking(p property) []string {
	return slices.DeleteFunc(slices.Clone(p.options), d.has)
}

// nobody is the id of no record: what is written to it goes nowhere.
const nobody = "0"

// rights tries what a push does. To write nothing into a record that there is not changes nothing, and
// is answered 403 to who may not write at all.
func (a *audit) rights(ctx context.Context) error {
	for _, kind := range kinds() {
		_, err := a.c.readAll(ctx, kind, []string{nobody}, "", []string{"hs_object_id"})
		if _, err := a.allowed(err, "crm.objects."+kind+".read"); err != nil {
			return err
		}
		_, err = a.c.update(ctx, kind, nobody, map[string]string{})
		if intake.IsPermanent(err) && refused(err) != nil && refused(err).status != http.StatusForbidden {
			err = nil
		}
		if _, err := a.allowed(err, "crm.objects."+kind+".write"); err != nil {
			return err
		}
	}
	for _, kind := range []string{notes, emails, meetings} {
		_, err := a.c.readAll(ctx, kind, []string{nobody}, "", []string{"hs_object_id"})
		if _, err := a.allowed(err, "to read "+kind); err != nil {
			return err
		}
	}
	return nil
}

// mapping looks for pipelines, stages and owners.
func (a *audit) mapping(ctx context.Context) error {
	m := a.c.config.Mapping
	a.c.lines.forget()
	lines, err := a.c.pipelines(ctx)
	ok, err := a.allowed(err, "crm.schemas.deals.read")
	if err != nil {
		return err
	}
	if ok {
		if m.Pipeline != "" && !slices.ContainsFunc(lines, func(p pipeline) bool { return p.ID == m.Pipeline }) {
			a.lack("make it, or change mapping.pipeline", "pipeline %s of deals", m.Pipeline)
		} else if _, ok := lines.stage(m.Pipeline, m.Stage); m.Stage != "" && !ok {
			a.lack("make it, or change mapping.stage", "stage %s of pipeline %s", m.Stage, m.Pipeline)
		}
		for _, id := range slices.Sorted(maps.Keys(m.Stages)) {
			if _, ok := lines.stage("", id); !ok {
				a.lack("make it, or change mapping.stages", "stage %s of deals", id)
			}
		}
	}
	for st, id := range m.Ends {
		if _, there := lines.stage("", id); ok && !there {
			a.lack("make it, or change mapping.ends", "stage %s of deals, for what is %s", id, st)
		}
	}
	a.c.people.forget()
	_, err = a.c.owners(ctx)
	if ok, err = a.allowed(err, "crm.objects.owners.read"); err != nil || !ok || m.Owner == "" {
		return err
	}
	if found, err := a.c.ownerBy(ctx, m.Owner); err != nil || found != "" {
		return err
	}
	a.lack("invite the user, or change mapping.owner", "owner %s", m.Owner)
	return nil
}

// Prepare makes the group and the properties that are ours, and adds the options that lack.
func (c *Connector) Prepare(ctx context.Context, dry bool) ([]string, error) {
	made, err := c.prepare(ctx, dry)
	if err != nil {
		return made, c.fail("prepare", "the account", err)
	}
	return made, nil
}

func (c *Connector) prepare(ctx context.Context, dry bool) (made []string, err error) {
	for _, kind := range kinds() {
		ours := schema()[kind]
		if len(ours) == 0 {
			continue
		}
		there, err := c.definitions(ctx, kind)
		if err != nil {
			return made, err
		}
		var lacking []property
		for _, p := range ours {
			d, ok := there[p.name]
			switch lack := d.lacking(p); {
			case !ok:
				lacking = append(lacking, p)
			case d.Type == p.form.Type && len(lack) > 0:
				if !dry {
					if err := c.addOptions(ctx, kind, d, lack); err != nil {
						return made, err
					}
				}
				made = append(made, fmt.Sprintf("options %s of %s property %s", strings.Join(lack, ", "), singular[kind], p.name))
			}
		}
		if len(lacking) == 0 {
			continue
		}
		more, err := c.makeProperties(ctx, kind, lacking, dry)
		if made = append(made, more...); err != nil {
			return made, err
		}
	}
	return made, nil
}

func (c *Connector) makeProperties(ctx context.Context, kind string, all []property, dry bool) (made []string, err error) {
	at := c.path("properties", "/"+kind)
	_, err = c.call(ctx, http.MethodGet, at+"/groups/"+group, nil, nil)
	if err != nil && !missing(err) {
		return nil, err
	}
	if missing(err) {
		made = append(made, singular[kind]+" property group "+group)
		if !dry {
			_, err := c.call(ctx, http.MethodPost, at+"/groups", map[string]any{"name": group, "label": "Leadgate", "displayOrder": -1}, nil)
			if err != nil && !taken(err) {
				return nil, err
			}
		}
	}
	var in []map[string]any
	for _, p := range all {
		made = append(made, singular[kind]+" property "+p.name)
		in = append(in, map[string]any{
			"name": p.name, "label": p.label, "groupName": group, "type": p.form.Type, "fieldType": p.form.Field,
			"description": "Written by Leadgate; changes here are overwritten.", "hasUniqueValue": p.unique, "formField": false, "hidden": false,
			"displayOrder": -1, "options": optionsOf(p.options, 0),
		})
	}
	if dry {
		return made, nil
	}
	var out batch[definition]
	a, err := c.call(ctx, http.MethodPost, at+"/batch/create", map[string]any{"inputs": in}, &out)
	if err == nil {
		err = out.check(a)
	}
	if err == nil || !taken(err) {
		return made, err
	}
	there, failed := c.definitions(ctx, kind) // somebody else may have made them at the same moment
	for _, p := range all {
		if _, ok := there[p.name]; !ok && failed == nil {
			return made, err
		}
	}
	return made, failed
}

// addOptions adds values to a choice; those that are there stay.
func (c *Connector) addOptions(ctx context.Context, kind string, d definition, more []string) error {
	all := append(slices.Clone(d.Options), optionsOf(more, len(d.Options))...)
	_, err := c.call(ctx, http.MethodPatch, c.path("properties", "/"+kind+"/"+url.PathEscape(d.Name)), map[string]any{"options": all}, nil)
	return err
}

func optionsOf(values []string, from int) []option {
	all := []option{}
	for i, v := range values {
		all = append(all, option{Label: strings.ReplaceAll(v, "_", " "), Value: v, Order: from + i})
	}
	return all
}
