// Package salesforce keeps registrations in a Salesforce org, and tells what people do there.
//
// What is the case's own lies in an object of its own, Partner_Registration__c, with a timeline of
// Partner_Registration_Event__c; both are written by us alone. Account, Contact and Opportunity are
// people's: one that is there is adopted, what is empty there is filled, and what somebody changed
// or emptied stays. examples/salesforce holds the objects, the external ids and a permission set.
//
// A push is one call of /composite, all or none, in which every record is addressed by an external
// id (Account.Leadgate_Domain__c, Contact.Leadgate_Key__c, Opportunity.Leadgate_Case__c,
// Partner_Registration__c.Case_Number__c), after one that reads if something of people's could have
// to be written. So whatever is repeated, by whomever, makes nothing twice. A rule in the org keeps
// an older revision from replacing a newer one.
//
// What people do is read by SystemModstamp, with an overlap of five minutes, as Salesforce commits
// late. Outbound messages may hint at it earlier; they are not signed, so nothing in them is
// believed but the ids, which are read again.
//
// On failure: a session that ended is made anew once. Wrong credentials and missing rights are
// Unauthorized. More records than one behind an external id, and duplicate rules that name a record
// of somebody else, are Conflicting. What Salesforce refuses is Permanent, in its own words. Locks
// and failures of its own are retried, and used-up calls after a quarter of an hour.
//
// Leads of Salesforce are not written: a registration of a lead is a Partner_Registration__c with an
// Opportunity like that of a deal, or without one; see Config.Opportunity.
package salesforce
