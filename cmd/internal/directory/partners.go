package directory

import (
	"io"
	"strings"

	"leadgate/intake"
)

// form describes the files to who writes one.
const form = `The file is CSV (UTF-8 with a header line; semicolons or tabs may stand for the commas) or YAML,
by the end of its name. What is not in the file stays as it is; an empty value empties.
`

// PartnersHelp describes a list of partners to who writes one.
const PartnersHelp = form + `YAML has a list under the key partners. Columns and keys:
  id                  lower-case letters, digits and hyphens; stays the same for ever
  code                4 to 12 capital letters and digits that stand for the partner in links
  name, legal_name
  status              active, suspended, offboarding or offboarded; active if empty
  status_from         from when on: a day, which begins at 00:00 UTC, or a time
  motion              referral, reseller, marketplace, si, msp, isv, distributor, integration,
                      affiliate or services; referral if empty
  tier, program       your own words
  domains             e-mail domains whose users speak for the partner, separated by blanks
  subdomains          those of the domains whose sub-domains speak for the partner too
  contacts            people outside these domains, or worth naming:
                      Ana Silva <ana@x.example> [CTO]; Tom <tom@x.example> (left)
  manager_name, manager_email
                      the person of yours whom the partner can ask
  executive_name, executive_email
                      the one of sales who takes the partner's deals on
  country, locale     two-letter code; language of the answers, en or de;
                      English if there are no texts in it
  slack_team, slack_channel, teams_tenant
                      the ids of a shared channel: of Slack the partner's
                      workspace, the channel, or both; of Teams its tenant
  channels            by which to write to the partner, the best first
  territories         countries or parts of them where the partner may register, - before one
                      that is left out: DE AT US-CA -DE-BY; everywhere if empty
  named_accounts      accounts that are the partner's: acme.example 2026-01-01..2026-12-31; …
  certifications      Data Platform | expert | 2026-09-30; …
  quota               how many holds at a time; any number if empty
  rules_version, rules_agreed_at, rules_agreed_by
                      which rules the partner has agreed to
  agreement_until     a day
In YAML contacts have the keys name, email, role and status; named accounts domain, from and to;
certifications product, level and until. Only id, name, and one of domains and contacts must be
filled.`

// partnerRow is a partner in a file.
type partnerRow struct {
	ID             string    `yaml:"id"`
	Code           string    `yaml:"code,omitempty"`
	Name           string    `yaml:"name"`
	Legal          string    `yaml:"legal_name,omitempty"`
	Status         string    `yaml:"status,omitempty"`
	StatusFrom     string    `yaml:"status_from,omitempty"`
	Motion         string    `yaml:"motion,omitempty"`
	Tier           string    `yaml:"tier,omitempty"`
	Program        string    `yaml:"program,omitempty"`
	Domains        words     `yaml:"domains,omitempty,flow"`
	Subdomains     words     `yaml:"subdomains,omitempty,flow"`
	Contacts       people    `yaml:"contacts,omitempty"`
	ManagerName    string    `yaml:"manager_name,omitempty"`
	ManagerEmail   string    `yaml:"manager_email,omitempty"`
	ExecutiveName  string    `yaml:"executive_name,omitempty"`
	ExecutiveEmail string    `yaml:"executive_email,omitempty"`
	Country        string    `yaml:"country,omitempty"`
	Locale         string    `yaml:"locale,omitempty"`
	SlackTeam      string    `yaml:"slack_team,omitempty"`
	SlackChannel   string    `yaml:"slack_channel,omitempty"`
	TeamsTenant    string    `yaml:"teams_tenant,omitempty"`
	Channels       words     `yaml:"channels,omitempty,flow"`
	Territories    words     `yaml:"territories,omitempty,flow"`
	Named          namedList `yaml:"named_accounts,omitempty"`
	Certifications certList  `yaml:"certifications,omitempty"`
	Quota          int       `yaml:"quota,omitempty"`
	RulesVersion   string    `yaml:"rules_version,omitempty"`
	RulesAgreedAt  string    `yaml:"rules_agreed_at,omitempty"`
	RulesAgreedBy  string    `yaml:"rules_agreed_by,omitempty"`
	Agreement      string    `yaml:"agreement_until,omitempty"`
}

// Partners are lists of partners.
var Partners List[intake.Partner] = &list[intake.Partner, partnerRow]{
	noun:  "partner",
	id:    func(p intake.Partner) string { return p.ID },
	rowID: func(r *partnerRow) string { return r.ID },
	row:   partnerToRow,
	apply: partnerFromRow,
	keys: strings.NewReplacer("manager.", "manager_", "executive.", "executive_", "slack.", "slack_", "teams.", "teams_",
		"rules_acknowledged.version", "rules_version", "rules_acknowledged.at", "rules_agreed_at", "rules_acknowledged.by", "rules_agreed_by"),
	document: func() (any, *[]partnerRow) {
		f := new(struct {
			Partners []partnerRow `yaml:"partners"`
		})
		return f, &f.Partners
	},
}

// ReadCSV reads partners as PartnersHelp describes them, or all faults of form, by line.
func ReadCSV(r io.Reader) ([]intake.Partner, error) {
	f, err := Partners.Read(CSV, r, nil)
	if err == nil && len(f.Faults) > 0 {
		err = Faults(f.Faults).Sorted()
	}
	return f.Entries, err
}

func partnerToRow(p intake.Partner) partnerRow {
	r := partnerRow{
		ID: p.ID, Code: p.Code, Name: p.Name, Legal: p.Legal, Status: string(p.Status), StatusFrom: momentText(p.StatusFrom),
		Motion: p.Motion, Tier: p.Tier, Program: p.Program, Domains: p.Domains, Subdomains: p.Subdomains,
		ManagerName: p.Manager.Name, ManagerEmail: p.Manager.Email, ExecutiveName: p.Executive.Name, ExecutiveEmail: p.Executive.Email,
		Country: p.Country, Locale: p.Locale, Channels: p.Channels, Territories: p.Territories, Quota: p.Quota,
		RulesVersion: p.Acknowledged.Version, RulesAgreedAt: momentText(p.Acknowledged.At), RulesAgreedBy: p.Acknowledged.By,
		Agreement: p.Agreement,
	}
	if p.Slack != nil {
		r.SlackTeam, r.SlackChannel = p.Slack.Team, p.Slack.Channel
	}
	if p.Teams != nil {
		r.TeamsTenant = p.Teams.Tenant
	}
	for _, c := range p.Contacts {
		r.Contacts = append(r.Contacts, personRow(c))
	}
	for _, n := range p.Named {
		r.Named = append(r.Named, namedRow(n))
	}
	for _, c := range p.Certifications {
		r.Certifications = append(r.Certifications, certRow(c))
	}
	return r
}

func partnerFromRow(r partnerRow, p intake.Partner, wrong *faults) intake.Partner {
	p.ID, p.Code, p.Name, p.Legal, p.Status = r.ID, r.Code, r.Name, r.Legal, intake.PartnerStatus(r.Status)
	p.StatusFrom = readMoment(r.StatusFrom, "status_from", wrong)
	p.Motion, p.Tier, p.Program, p.Domains, p.Subdomains = r.Motion, r.Tier, r.Program, r.Domains, r.Subdomains
	p.Manager.Name, p.Manager.Email, p.Executive.Name, p.Executive.Email = r.ManagerName, r.ManagerEmail, r.ExecutiveName, r.ExecutiveEmail
	p.Country, p.Locale, p.Channels, p.Territories, p.Quota, p.Agreement = r.Country, r.Locale, r.Channels, r.Territories, r.Quota, r.Agreement
	p.Acknowledged = intake.Acknowledged{
		Version: r.RulesVersion, At: readMoment(r.RulesAgreedAt, "rules_agreed_at", wrong), By: r.RulesAgreedBy,
	}
	p.Slack, p.Teams, p.Contacts, p.Named, p.Certifications = nil, nil, nil, nil, nil
	if r.SlackTeam != "" || r.SlackChannel != "" {
		p.Slack = &intake.Slack{Team: r.SlackTeam, Channel: r.SlackChannel}
	}
	if r.TeamsTenant != "" {
		p.Teams = &intake.Teams{Tenant: r.TeamsTenant}
	}
	for _, c := range r.Contacts {
		p.Contacts = append(p.Contacts, intake.Contact(c))
	}
	for _, n := range r.Named {
		p.Named = append(p.Named, intake.NamedAccount(n))
	}
	for _, c := range r.Certifications {
		p.Certifications = append(p.Certifications, intake.Certification(c))
	}
	return p
}
