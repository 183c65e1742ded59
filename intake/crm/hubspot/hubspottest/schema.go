package hubspottest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Property is one of a kind of records.
type Property struct {
	Name, Label, Type, FieldType, Group string
	Options                             []string
	Unique, ReadOnly                    bool
}

// standard is HubSpot's own schema, as far as it matters here.
func standard() map[string]map[string]*Property {
	all := make(map[string]map[string]*Property)
	for kind, words := range map[string]string{
		"deals": "dealname amount:number pipeline! dealstage! hubspot_owner_id closedate:datetime hs_next_step deal_currency_code " +
			"hs_is_closed- hs_is_closed_won- notes_last_contacted:datetime- notes_last_updated:datetime- hs_merged_object_ids- description industry",
		"companies": "name domain hs_additional_domains country industry phone lifecyclestage hubspot_owner_id hs_merged_object_ids-",
		"contacts":  "email hs_additional_emails firstname lastname jobtitle phone lifecyclestage hs_merged_object_ids-",
		"notes":     "hs_timestamp:datetime hs_note_body hubspot_owner_id hs_attachment_ids",
		"emails":    "hs_timestamp:datetime hs_email_direction hs_email_status hs_email_subject hs_email_text hs_email_html hs_email_headers",
		"meetings":  "hs_timestamp:datetime hs_meeting_title hs_meeting_start_time:datetime hs_meeting_end_time:datetime hs_meeting_outcome",
	} {
		all[kind] = make(map[string]*Property)
		for _, w := range strings.Fields(words + " createdate:datetime- hs_lastmodifieddate:datetime- hs_object_id:number-") {
			name, readOnly := strings.CutSuffix(w, "-")
			name, kindOf, _ := strings.Cut(strings.TrimSuffix(name, "!"), ":")
			if kindOf == "" {
				kindOf = "string"
			}
			all[kind][name] = &Property{Name: name, Label: name, Type: kindOf, FieldType: "text", Group: singular(kind) + "information", ReadOnly: readOnly}
		}
	}
	all["contacts"]["email"].Unique = true
	all["emails"]["hs_email_direction"].Options = []string{"EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"}
	all["meetings"]["hs_meeting_outcome"].Options = []string{"SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"}
	return all
}

// fault is an answer that refuses.
type fault struct {
	status   int
	category string
	message  string
	details  []map[string]any
	context  map[string][]string
	sub      string
}

func (f *fault) Error() string { return fmt.Sprintf("%d %s: %s", f.status, f.category, f.message) }

func (f *fault) body() map[string]any {
	b := map[string]any{"status": "error", "category": f.category, "message": f.message, "correlationId": "0b7ac5f6-4b7c-4a3e-9e4c-1f0f6a0c1d2e"}
	if f.details != nil {
		b["errors"] = f.details
	}
	if f.context != nil {
		b["context"] = f.context
	}
	if f.sub != "" {
		b["subCategory"] = f.sub
	}
	return b
}

// invalid is what HubSpot says of properties that it does not take: a list, in the text.
func invalid(code, name, message string) *fault {
	list, _ := json.Marshal([]map[string]any{{"isValid": false, "message": message, "error": code, "name": name, "localizedErrorMessage": message}})
	return &fault{
		status: 400, category: "VALIDATION_ERROR", message: "Property values were not valid: " + string(list),
		details: []map[string]any{{"message": message, "code": code, "context": map[string]any{"propertyName": []string{name}}}},
	}
}

// check looks at values as they are about to be written.
func (a *Account) check(kind, id string, values map[string]string, own bool) *fault {
	for name, v := range values {
		p := a.schema[kind][name]
		switch {
		case p == nil:
			return invalid("PROPERTY_DOESNT_EXIST", name, fmt.Sprintf("Property %q does not exist", name))
		case p.ReadOnly && !own:
			return invalid("READ_ONLY_VALUE", name, fmt.Sprintf("%q is a read only property; its value cannot be set.", name))
		case v == "":
			continue
		case len(p.Options) > 0 && !slices.Contains(p.Options, v):
			return invalid("INVALID_OPTION", name, fmt.Sprintf("%s was not one of the allowed options: %v", v, p.Options))
		case p.Type == "number" && !isNumber(v):
			return invalid("INVALID_INTEGER", name, fmt.Sprintf("%s was not a valid number.", v))
		case p.Type == "datetime" && moment(v).IsZero():
			return invalid("INVALID_DATE", name, fmt.Sprintf("%s was not a valid datetime.", v))
		case p.Type == "date" && !isDate(v):
			return invalid("INVALID_DATE", name, fmt.Sprintf("%s was not a valid date.", v))
		case len([]rune(v)) > 65536:
			return invalid("PROPERTY_VALUE_TOO_LONG", name, "the value is too long")
		}
		if kind == "deals" && name == "dealstage" && a.stage(v) == nil {
			return invalid("INVALID_OPTION", name, v+" was not one of the allowed stages")
		}
		if kind == "deals" && name == "pipeline" && v != Pipeline {
			return invalid("INVALID_OPTION", name, v+" was not one of the allowed pipelines")
		}
		if name == "hubspot_owner_id" && a.owner(v).ID == "" {
			return invalid("INVALID_OWNER_ID", name, "owner "+v+" does not exist")
		}
		if !p.Unique {
			continue
		}
		for other, o := range a.objects[kind] {
			if other == id || o.Archived || !strings.EqualFold(o.Properties[name], v) {
				continue
			}
			if kind == "contacts" {
				return &fault{status: 409, category: "CONFLICT", message: "Contact already exists. Existing ID: " + other}
			}
			return &fault{status: 400, category: "VALIDATION_ERROR", message: fmt.Sprintf("CONFLICTING_UNIQUE_VALUE: Cannot set PropertyValueCoordinates{propertyName=%s, value=%s} on %s. %s already has that value.", name, v, id, other)}
		}
	}
	return nil
}

func isNumber(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil }
func isDate(s string) bool   { _, err := time.Parse(time.DateOnly, s); return err == nil }

func moment(s string) time.Time {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC()
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func (a *Account) stage(id string) *Stage {
	i := slices.IndexFunc(a.stages, func(s Stage) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &a.stages[i]
}

// create makes a record.
func (a *Account) create(kind string, values map[string]string) (*Object, *fault) {
	if need := a.required[kind]; need != "" && values[need] == "" {
		return nil, invalid("REQUIRED_FIELD", need, fmt.Sprintf("property %s is required to create a %s", need, singular(kind)))
	}
	if (kind == "notes" || kind == "emails" || kind == "meetings") && values["hs_timestamp"] == "" {
		return nil, invalid("REQUIRED_FIELD", "hs_timestamp", "hs_timestamp is required")
	}
	a.next++
	o := &Object{ID: strconv.Itoa(a.next), Properties: make(map[string]string), Created: a.now()}
	if refused := a.check(kind, o.ID, values, false); refused != nil {
		return nil, refused
	}
	o.Properties["createdate"], o.Properties["hs_object_id"] = stamp(o.Created), o.ID
	a.objects[kind][o.ID] = o
	_ = a.write(kind, o, values, false)
	a.tell(Event{Type: singular(kind) + ".creation", Object: number(o.ID)})
	return o, nil
}

// write changes a record; hand says that a person does.
func (a *Account) write(kind string, o *Object, values map[string]string, hand bool) *fault {
	if refused := a.check(kind, o.ID, values, hand); refused != nil {
		return refused
	}
	for name, v := range values {
		p := a.schema[kind][name]
		if v != "" && p.Type == "datetime" {
			v = stamp(moment(v))
		}
		if kind == "contacts" && name == "email" {
			v = strings.ToLower(v)
		}
		if o.Properties[name] != v {
			o.Properties[name] = v
			a.tell(Event{Type: singular(kind) + ".propertyChange", Object: number(o.ID), Property: name, Value: v})
		}
		if v == "" {
			delete(o.Properties, name)
		}
	}
	a.touch(kind, o)
	return nil
}

// touch sets what HubSpot sets by itself.
func (a *Account) touch(kind string, o *Object) {
	o.Updated = a.now()
	o.Properties["hs_lastmodifieddate"] = stamp(o.Updated)
	if s := a.stage(o.Properties["dealstage"]); kind == "deals" && s != nil {
		o.Properties["hs_is_closed"] = strconv.FormatBool(s.Closed)
		o.Properties["hs_is_closed_won"] = strconv.FormatBool(s.Closed && s.Probability == "1.0")
	}
}
