package directory

import (
	"strings"

	"leadgate/intake"
)

// AccountsHelp describes a list of accounts to who writes one.
const AccountsHelp = form + `YAML has a list under the key accounts. Columns and keys:
  domain      the registrable domain that stands for the company
  name        its name; accounts of the same name are shown to who decides
  country     two-letter code
  aliases     its other domains, separated by blanks
  parent      the domain of the account that it belongs to
  crm         the ids of its records there, separated by blanks
  blocked     why nobody can register it, in words for staff; empty if they can
  customer    yes if it buys already
  incumbent   the id of the partner who serves it
  renewal     when its contract ends: a day, which begins at 00:00 UTC, or a time
  renewal_confirmed
              the same again, once the partner who serves it has said that it goes on
  confirmed_by
              who noted that
  contacted   when direct sales last spoke to it
  note        for staff
Only domain must be filled.`

// accountRow is an account in a file.
type accountRow struct {
	Domain    string `yaml:"domain"`
	Name      string `yaml:"name,omitempty"`
	Country   string `yaml:"country,omitempty"`
	Aliases   words  `yaml:"aliases,omitempty,flow"`
	Parent    string `yaml:"parent,omitempty"`
	CRM       words  `yaml:"crm,omitempty,flow"`
	Blocked   string `yaml:"blocked,omitempty"`
	Customer  bool   `yaml:"customer,omitempty"`
	Incumbent string `yaml:"incumbent,omitempty"`
	Renewal   string `yaml:"renewal,omitempty"`
	Confirmed string `yaml:"renewal_confirmed,omitempty"`
	By        string `yaml:"confirmed_by,omitempty"`
	Contacted string `yaml:"contacted,omitempty"`
	Note      string `yaml:"note,omitempty"`
}

// Accounts are lists of accounts.
var Accounts List[intake.Account] = &list[intake.Account, accountRow]{
	noun:  "account",
	id:    func(a intake.Account) string { return a.Domain },
	rowID: func(r *accountRow) string { return r.Domain },
	row: func(a intake.Account) accountRow {
		return accountRow{
			Domain: a.Domain, Name: a.Name, Country: a.Country, Aliases: a.Aliases, Parent: a.Parent, CRM: a.CRM,
			Blocked: a.Blocked, Customer: a.Customer, Incumbent: a.Incumbent,
			Renewal: momentText(a.Renewal), Confirmed: momentText(a.Confirmed), By: a.ConfirmedBy, Contacted: momentText(a.Contacted), Note: a.Note,
		}
	},
	apply: func(r accountRow, _ intake.Account, wrong *faults) intake.Account {
		return intake.Account{
			Domain: r.Domain, Name: r.Name, Country: r.Country, Aliases: r.Aliases, Parent: r.Parent, CRM: r.CRM,
			Blocked: r.Blocked, Customer: r.Customer, Incumbent: r.Incumbent,
			Renewal: readMoment(r.Renewal, "renewal", wrong), Confirmed: readMoment(r.Confirmed, "renewal_confirmed", wrong), ConfirmedBy: r.By, Contacted: readMoment(r.Contacted, "contacted", wrong), Note: r.Note,
		}
	},
	keys: strings.NewReplacer(),
	document: func() (any, *[]accountRow) {
		f := new(struct {
			Accounts []accountRow `yaml:"accounts"`
		})
		return f, &f.Accounts
	},
}
