package salesforcetest

import (
	"encoding/xml"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// field is one of an object, as describe calls its properties.
type field struct {
	Name     string
	Type     string // string, textarea, double, date, datetime, boolean, picklist, reference, email, id
	Length   int
	Required bool
	ReadOnly bool
	External bool
	Unique   bool
	To       string // the object that a reference is to; "" for any
	Rel      string // the name of the relation, from here
	Visible  bool
}

type object struct {
	Name, Prefix string
	fields       map[string]*field
	order        []string
	children     map[string]child // by the name of the relation
	olderRefused string           // the words of the rule that keeps older revisions out
}

type child struct{ object, field string }

func (o *object) add(fields ...field) {
	for _, f := range fields {
		if o.fields[f.Name] == nil {
			o.order = append(o.order, f.Name)
		}
		o.fields[f.Name] = &f
	}
}

func newObject(name, prefix string) *object {
	o := &object{Name: name, Prefix: prefix, fields: make(map[string]*field), children: make(map[string]child)}
	o.add(field{Name: "Id", Type: "id", ReadOnly: true}, field{Name: "IsDeleted", Type: "boolean", ReadOnly: true})
	for _, f := range []string{"CreatedDate", "LastModifiedDate", "SystemModstamp"} {
		o.add(field{Name: f, Type: "datetime", ReadOnly: true})
	}
	o.add(field{Name: "LastModifiedById", Type: "reference", To: "User", Rel: "LastModifiedBy", ReadOnly: true})
	o.add(field{Name: "CreatedById", Type: "reference", To: "User", Rel: "CreatedBy", ReadOnly: true})
	for _, f := range o.order {
		o.fields[f].Visible = true
	}
	return o
}

// standard are the objects of every org, as far as the gateway has to do with them. Visible fields
// are those that no permission set can hide.
func standard() map[string]*object {
	all := make(map[string]*object)
	make := func(name, prefix string, fields ...field) {
		o := newObject(name, prefix)
		o.add(fields...)
		all[name] = o
	}
	owner := field{Name: "OwnerId", Type: "reference", To: "User", Rel: "Owner", Visible: true}
	activity := field{Name: "LastActivityDate", Type: "date", ReadOnly: true, Visible: true}
	make("User", "005", field{Name: "Name", Type: "string", Length: 121, Visible: true}, field{Name: "Email", Type: "email", Length: 128, Visible: true})
	make("Account", "001", owner, activity,
		field{Name: "Name", Type: "string", Length: 255, Required: true, Visible: true}, field{Name: "Website", Type: "string", Length: 255},
		field{Name: "Type", Type: "string", Length: 255}, field{Name: "Industry", Type: "string", Length: 255})
	make("Contact", "003", owner, activity,
		field{Name: "FirstName", Type: "string", Length: 40, Visible: true}, field{Name: "LastName", Type: "string", Length: 80, Required: true, Visible: true},
		field{Name: "Email", Type: "email", Length: 80}, field{Name: "Title", Type: "string", Length: 128}, field{Name: "Phone", Type: "string", Length: 40},
		field{Name: "AccountId", Type: "reference", To: "Account", Rel: "Account"})
	make("Opportunity", "006", owner, activity,
		field{Name: "Name", Type: "string", Length: 120, Required: true, Visible: true}, field{Name: "StageName", Type: "picklist", Length: 255, Required: true, Visible: true},
		field{Name: "CloseDate", Type: "date", Required: true, Visible: true}, field{Name: "Amount", Type: "double"}, field{Name: "NextStep", Type: "string", Length: 255},
		field{Name: "AccountId", Type: "reference", To: "Account", Rel: "Account"},
		field{Name: "IsClosed", Type: "boolean", ReadOnly: true, Visible: true}, field{Name: "IsWon", Type: "boolean", ReadOnly: true, Visible: true})
	make("OpportunityContactRole", "00K",
		field{Name: "OpportunityId", Type: "reference", To: "Opportunity", Rel: "Opportunity", Required: true, Visible: true},
		field{Name: "ContactId", Type: "reference", To: "Contact", Rel: "Contact", Required: true, Visible: true}, field{Name: "IsPrimary", Type: "boolean", Visible: true})
	make("Event", "00U", owner, field{Name: "WhatId", Type: "reference", Rel: "What", Visible: true}, field{Name: "Subject", Type: "string", Length: 255, Visible: true},
		field{Name: "StartDateTime", Type: "datetime", Visible: true}, field{Name: "EndDateTime", Type: "datetime", Visible: true})
	make("Task", "00T", owner, field{Name: "WhatId", Type: "reference", Rel: "What", Visible: true}, field{Name: "Subject", Type: "string", Length: 255, Visible: true},
		field{Name: "Status", Type: "string", Length: 40, Visible: true}, field{Name: "ActivityDate", Type: "date", Visible: true},
		field{Name: "Description", Type: "textarea", Length: 32000, Visible: true})
	return all
}

// customField is a file of objects/*/fields.
type customField struct {
	XMLName    xml.Name `xml:"http://soap.sforce.com/2006/04/metadata CustomField"`
	FullName   string   `xml:"fullName"`
	Type       string   `xml:"type"`
	Length     int      `xml:"length"`
	Required   bool     `xml:"required"`
	ExternalID bool     `xml:"externalId"`
	Unique     bool     `xml:"unique"`
	To         string   `xml:"referenceTo"`
	Rel        string   `xml:"relationshipName"`
}

type permissionSet struct {
	XMLName xml.Name `xml:"http://soap.sforce.com/2006/04/metadata PermissionSet"`
	Fields  []struct {
		Field    string `xml:"field"`
		Editable bool   `xml:"editable"`
		Readable bool   `xml:"readable"`
	} `xml:"fieldPermissions"`
	Objects []struct {
		Object string `xml:"object"`
		Create bool   `xml:"allowCreate"`
		Edit   bool   `xml:"allowEdit"`
		Read   bool   `xml:"allowRead"`
	} `xml:"objectPermissions"`
}

type validationRule struct {
	XMLName xml.Name `xml:"http://soap.sforce.com/2006/04/metadata ValidationRule"`
	Active  bool     `xml:"active"`
	Formula string   `xml:"errorConditionFormula"`
	Message string   `xml:"errorMessage"`
}

// olderRevision is the one formula that this org can evaluate.
const olderRevision = "AND(NOT(ISNEW()), Rev__c < PRIORVALUE(Rev__c))"

// deploy reads a package of SFDX source, as `sf project deploy` does, and assigns its permission
// sets: what they don't name is neither seen nor written.
func deploy(source fs.FS) (map[string]*object, error) {
	all := standard()
	var sets []permissionSet
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".xml" {
			return err
		}
		b, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(name, ".object-meta.xml"):
			object := path.Base(path.Dir(name))
			if all[object] == nil {
				all[object] = newObject(object, fmt.Sprintf("a%02d", len(all)))
			}
			all[object].add(field{Name: "Name", Type: "string", Length: 80, Visible: true})
			return wellFormed(b)
		case strings.HasSuffix(name, ".permissionset-meta.xml"):
			var p permissionSet
			err = xml.Unmarshal(b, &p)
			sets = append(sets, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		of := all[path.Base(path.Dir(path.Dir(name)))]
		b, err := fs.ReadFile(source, name)
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(name, ".field-meta.xml"):
			return deployField(all, of, name, b)
		case strings.HasSuffix(name, ".validationRule-meta.xml"):
			var r validationRule
			if err := xml.Unmarshal(b, &r); err != nil || !r.Active || r.Formula != olderRevision {
				return fmt.Errorf("%s: %v: a rule that this org cannot evaluate: %s", name, err, r.Formula)
			}
			of.olderRefused = r.Message
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return all, assign(all, sets)
}

func wellFormed(b []byte) error { return xml.Unmarshal(b, new(struct{ XMLName xml.Name })) }

func deployField(all map[string]*object, of *object, name string, b []byte) error {
	var c customField
	if err := xml.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if of == nil || c.FullName+".field-meta.xml" != path.Base(name) {
		return fmt.Errorf("%s: the file is not where the field belongs", name)
	}
	types := map[string]string{
		"Text": "string", "LongTextArea": "textarea", "Number": "double", "DateTime": "datetime", "Picklist": "picklist",
		"Lookup": "reference", "MasterDetail": "reference",
	}
	f := field{
		Name: c.FullName, Type: types[c.Type], Length: c.Length, Required: c.Required || c.Type == "MasterDetail",
		External: c.ExternalID, Unique: c.Unique, To: c.To,
	}
	if f.Type == "" {
		return fmt.Errorf("%s: the type %q", name, c.Type)
	}
	f.Visible = f.Required // no permission set may name these
	if f.Type == "reference" {
		f.Rel = strings.TrimSuffix(c.FullName, "__c") + "__r"
		if all[c.To] == nil {
			return fmt.Errorf("%s: there is no object %s", name, c.To)
		}
		all[c.To].children[c.Rel+"__r"] = child{of.Name, c.FullName}
	}
	of.add(f)
	return nil
}

func assign(all map[string]*object, sets []permissionSet) error {
	for _, p := range sets {
		for _, x := range p.Fields {
			object, name, _ := strings.Cut(x.Field, ".")
			o := all[object]
			if o == nil || o.fields[name] == nil {
				return fmt.Errorf("the permission set names %s, which is not there", x.Field)
			}
			if o.fields[name].Visible {
				return fmt.Errorf("the permission set names %s, which is required: Salesforce refuses that", x.Field)
			}
		}
	}
	for _, p := range sets {
		for _, x := range p.Fields {
			object, name, _ := strings.Cut(x.Field, ".")
			all[object].fields[name].Visible = x.Readable && x.Editable
		}
	}
	return nil
}
