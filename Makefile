# make help lists what there is.
SHELL := /bin/bash
GO    ?= go
BIN   := bin/leadgate
# Packages with tests that start many processes or servers run one after the other.
TEST  := $(GO) test -race -shuffle=on -timeout 30m

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/leadgate
	$(GO) build -trimpath -o $(BIN) ./cmd/leadgate

demo: build ## run a whole gateway here, with ten partners, to try it
	$(BIN) demo

test: servers lint ## all tests and the figures of the reader; real mail servers, a browser, a spreadsheet, 350 killed gateways and 100,000 submissions in a race among them, pictures of the pages in .shots (about 15 minutes)
	LEADGATE_REQUIRE_SERVERS=1 LEADGATE_SHOTS=$(CURDIR)/.shots $(TEST) -p 2 ./...
	@echo "without the race detector, a programme of 120 days, a hundred thousand submissions in a race, a file of a thousand rows, and whether answers tell by their time what is taken:"; set -o pipefail; \
	$(GO) test -timeout 15m -run '^(TestOfTenPartnersInARaceForTheSameProspectsNoTwoEverHoldOne|TestAProgrammeOf120DaysRunsByItsClocksAndTheSameWayTwice|TestWhatMustNeverHappenDoesNotInAnyLifeOfManyCases|TestTheAnswersToAPartnerDontTellWhichProspectsAreTakenUntilSomebodyDecides|TestAnImportTakesTheGoodRowsInAndTheCorrectedFileTheOthers)$$/in_a_file$$' -v ./intake | sed -n 's/^ *\(scale\|programme\|oracle\)_test.go:[0-9]*: /  /p; /^ *--- FAIL/p; /^FAIL/p'
	@echo "what is read of the labelled mails:"; $(GO) test -run '^TestLabelledMails$$' -v ./channels/mailbox | sed -n 's/^ *labelled_test.go:[0-9]*: /  /p'

unit: ## the quick loop, under a minute: no servers, no killed processes
	$(GO) test -short -shuffle=on ./...

lint: ## formatting, vet and staticcheck
	@out=$$($(GO) tool gofumpt -l .); if [ -n "$$out" ]; then echo "not formatted (go tool gofumpt -w .):"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

FUZZTIME ?= 60s
fuzz: ## every fuzz target for FUZZTIME (60s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg; \
	  done; \
	done

bench: ## figures beside their yardsticks, in one run; one store gets a million registrations, or LEADGATE_BENCH_KNOWN
	$(GO) test -run '^$$' -bench . -benchtime 3s -timeout 60m ./store/boltstore ./channels/mailbox ./channels/csvdrop/sheet ./intake ./cmd/leadgate

# The real servers that tests talk to (mail, and Tryton as a CRM), the browser that looks at the pages, and the spreadsheet that
# opens results. Root installs what
# is missing, others are told. npm fetches axe-core; it may have come with a nodejs that is not Debian's.
PACKAGES := dovecot-imapd dovecot-lmtpd postfix swaks curl gcc libc6-dev chromium fonts-liberation wrk libreoffice-calc-nogui tryton-server tryton-modules-sale-opportunity
servers:
	@missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
	  echo "installing$$missing"; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  printf '#!/bin/sh\nexit 101\n' > /tmp/leadgate-policy-rc.d; \
	  if [ ! -e /usr/sbin/policy-rc.d ]; then install -m 0755 /tmp/leadgate-policy-rc.d /usr/sbin/policy-rc.d; made=1; fi; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/tmp/leadgate-apt.log 2>&1; status=$$?; \
	  if [ -n "$$made" ]; then rm -f /usr/sbin/policy-rc.d; fi; \
	  if [ $$status != 0 ]; then tail -20 /tmp/leadgate-apt.log; exit $$status; fi; \
	else \
	  echo "The tests need these Debian packages:"; echo "  sudo apt-get install --no-install-recommends$$missing"; exit 1; \
	fi

.PHONY: help build demo test unit lint fuzz bench servers
