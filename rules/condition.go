package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"leadgate/intake"
)

// Condition is a rule of the operator's own: if When holds, it has the Outcome. It sees what the
// partner is and wrote, and nothing of others.
type Condition struct {
	Name string `yaml:"name" json:"name"`
	// When is an expression that is true or false, as in `amount > 100000 and partner.tier != "gold"`.
	When string `yaml:"when" json:"when"`
	// Outcome is OutcomeReview, OutcomeAsk or OutcomeDecline.
	Outcome intake.Outcome `yaml:"outcome" json:"outcome"`
	// Reason is one of ConditionReasons; ReasonCondition if empty.
	Reason intake.Reason `yaml:"reason" json:"reason,omitempty"`
	// Field and Message are what the partner is asked for with OutcomeAsk. For the other outcomes
	// Message is for staff.
	Field   intake.Field `yaml:"field" json:"field,omitempty"`
	Message string       `yaml:"message" json:"message,omitempty"`
}

// ConditionReasons are those that a condition can give. The others say that something happened.
func ConditionReasons() []intake.Reason {
	return []intake.Reason{
		intake.ReasonCondition, intake.ReasonNotEligible, intake.ReasonBlocked, intake.ReasonOutsideTerritory,
		intake.ReasonCertification, intake.ReasonQuota, intake.ReasonExistingCustomer, intake.ReasonExistingDeal,
		intake.ReasonNamedAccount, intake.ReasonMissingField, intake.ReasonQuestion,
	}
}

// What bounds an expression: its length, its parts, and what it may use while it runs (in
// elements of lists that it makes). As there are no loops and no variables, the time it takes is
// at most its parts times the length of the longest text.
const (
	maxExpression = 2000
	maxParts      = 200
	maxElements   = 100_000
)

// functions are those that an expression can call. They read no clock, make nothing much longer
// than what they are given, and go over a text once.
var functions = []string{
	"len", "abs", "ceil", "floor", "round", "int", "float", "string", "trim", "trimPrefix", "trimSuffix",
	"upper", "lower", "split", "indexOf", "lastIndexOf", "hasPrefix", "hasSuffix", "max", "min",
}

// names are what an expression can refer to, with their types.
func names() types.Map {
	lead := make(types.Map)
	for _, f := range intake.Fields() {
		lead[string(f)] = types.String
	}
	return types.Map{
		"lead":     lead,
		"partner":  types.Map{"id": types.String, "motion": types.String, "tier": types.String, "country": types.String},
		"strength": types.String, "channel": types.String,
		"amount": types.Float64, "currency": types.String,
		"weekday": types.String, "hour": types.Int,
	}
}

// values are the names as they are in a case: amount and currency of the target revenue, 0 and ""
// if there is none; weekday ("monday") and hour of the claim in the programme's zone.
func (p *Policy) values(c intake.Case) map[string]any {
	r := c.Registration
	lead := make(map[string]any)
	for _, f := range intake.Fields() {
		lead[string(f)] = r.Lead[f]
	}
	amount, currency, _ := strings.Cut(r.Lead[intake.FieldTargetRevenue], " ")
	number, _ := strconv.ParseFloat(amount, 64)
	claim := r.Claim.In(p.zone)
	return map[string]any{
		"lead":     lead,
		"partner":  map[string]any{"id": c.Partner.ID, "motion": c.Partner.Motion, "tier": c.Partner.Tier, "country": c.Partner.Country},
		"strength": string(r.Strength), "channel": r.Channel,
		"amount": number, "currency": currency,
		"weekday": strings.ToLower(claim.Weekday().String()), "hour": claim.Hour(),
	}
}

// compileExpression makes a program of an expression. The error says where in it the fault is.
func compileExpression(text string) (*vm.Program, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	// Nothing is optimized, so that what runs is what was looked at.
	options := []expr.Option{expr.Env(names()), expr.AsBool(), expr.WarnOnAny(), expr.MaxNodes(maxParts), expr.Optimize(false), expr.DisableAllBuiltins()}
	for _, f := range functions {
		options = append(options, expr.EnableBuiltin(f))
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		return nil, positioned(err)
	}
	root, found := program.Node(), growth{}
	if ast.Walk(&root, &found); found.node != nil {
		fault := (&file.Error{Location: found.node.Location(), Message: "variables and loops can't be used here"}).Bind(program.Source())
		return nil, positioned(fault)
	}
	return program, nil
}

// growth finds what would let an expression do much more than it is long.
type growth struct{ node ast.Node }

// Visit implements ast.Visitor.
func (g *growth) Visit(node *ast.Node) {
	switch (*node).(type) {
	case *ast.VariableDeclaratorNode, *ast.PredicateNode, *ast.PointerNode:
		g.node = *node
	}
}

// positioned puts where the fault is before what it is.
func positioned(err error) error {
	if at, ok := errors.AsType[*file.Error](err); ok {
		return fmt.Errorf("line %d, column %d: %s", max(at.Line, 1), at.Column+1, at.Message)
	}
	return errors.New(oneLine(err.Error()))
}

func oneLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (s Spec) validateConditions() []error {
	var faults []error
	seen := make(map[string]bool)
	for i, x := range s.Conditions {
		fault := func(key, format string, a ...any) {
			faults = append(faults, fmt.Errorf("conditions[%d].%s: %w", i, key, fmt.Errorf(format, a...)))
		}
		if strings.TrimSpace(x.Name) == "" || seen[x.Name] {
			fault("name", "%q: every condition has a name of its own", x.Name)
		}
		seen[x.Name] = true
		if _, err := compileExpression(x.When); err != nil {
			fault("when", "%w", err)
		}
		if !slices.Contains([]intake.Outcome{intake.OutcomeReview, intake.OutcomeAsk, intake.OutcomeDecline}, x.Outcome) {
			fault("outcome", "%q is none of %s, %s, %s", x.Outcome, intake.OutcomeReview, intake.OutcomeAsk, intake.OutcomeDecline)
		}
		if x.Reason != "" && !slices.Contains(ConditionReasons(), x.Reason) {
			fault("reason", "%q is none of %v", x.Reason, ConditionReasons())
		}
		if x.Field != "" && !slices.Contains(intake.Fields(), x.Field) {
			fault("field", "%q: there is no such field", x.Field)
		}
		if x.Outcome == intake.OutcomeAsk && strings.TrimSpace(x.Message) == "" {
			fault("message", "say what the partner is asked for")
		}
	}
	return faults
}

// conditions returns the rules of the operator: those that ask, and those that judge.
func (p *Policy) conditions() (asking, judging []intake.Rule, err error) {
	for i, x := range p.spec.Conditions {
		program, err := compileExpression(x.When)
		if err != nil {
			return nil, nil, fmt.Errorf("conditions[%d].when: %w", i, err)
		}
		r := rule{x.Name, p.condition(x, program)}
		if x.Outcome == intake.OutcomeAsk {
			asking = append(asking, r)
		} else {
			judging = append(judging, r)
		}
	}
	return asking, judging, nil
}

// condition returns a rule that judges by an expression. What can't be evaluated is for a person.
func (p *Policy) condition(x Condition, program *vm.Program) func(time.Time, intake.Case) intake.Finding {
	reason := x.Reason
	if reason == "" {
		reason = intake.ReasonCondition
	}
	return func(_ time.Time, c intake.Case) intake.Finding {
		holds, err := evaluate(program, p.values(c))
		switch {
		case err != nil:
			return intake.Finding{
				Outcome: intake.OutcomeReview, Reason: intake.ReasonCondition,
				Evidence: fmt.Sprintf("%s: can't be told: %v", x.When, err),
			}
		case !holds:
			return intake.Finding{}
		case x.Outcome == intake.OutcomeAsk:
			f := ask(reason, x.Field, x.Message)
			f.Problems[0].Code, f.Evidence = string(intake.ReasonCondition), x.When
			return f
		}
		return intake.Finding{Outcome: x.Outcome, Reason: reason, Evidence: strings.TrimPrefix(x.Message+": "+x.When, ": ")}
	}
}

// evaluate runs a program in a machine of its own, so that many can be judged at a time.
func evaluate(program *vm.Program, values map[string]any) (holds bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v", fault)
		}
	}()
	machine := vm.VM{MemoryBudget: maxElements}
	result, err := machine.Run(program, values)
	if err != nil {
		return false, positioned(err)
	}
	holds, ok := result.(bool)
	if !ok {
		return false, fmt.Errorf("gives %T, which is neither true nor false", result)
	}
	return holds, nil
}
