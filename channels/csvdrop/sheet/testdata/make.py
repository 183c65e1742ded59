#!/usr/bin/env python3
"""Makes the files here. Those called libreoffice-* are written by LibreOffice Calc, out of flat
OpenDocument files that this script makes; the others imitate byte for byte what is documented of
Excel, Google Sheets and Numbers. See README.md. Needs soffice; run it in this folder."""
import os, subprocess, sys, tempfile, html

HERE = os.path.dirname(os.path.abspath(__file__))
DE = ["Firma", "Webseite", "Land", "Ansprechpartner", "E-Mail", "Telefon", "Problem", "Umsatz", "Abschluss", "Einverständnis", "Notiz"]
US = ["Company", "Website", "Country", "Contact", "E-mail", "Phone", "Problem", "Revenue", "Close date", "Consent", "Note"]
# text cells, but for the amount (a number) and the date
ROWS = [
    ["Müller & Söhne GmbH", "www.mueller-soehne.example", "Deutschland", "Jörg Weiß", "joerg.weiss@mueller-soehne.example", "+49 30 1234567",
     "Jede Woche geht ein Tag\nfür Berichte von Hand verloren.", 120000, "2027-03-31", "ja", "sagt \"dringend\""],
    ["Bäckerei Öztürk; Filialen", "oeztuerk.example", "Österreich", "Ayşe Öztürk", "ayse@oeztuerk.example", "+43 1 9876543",
     "Bestellungen kommen per Fax, und niemand zählt sie.", 1234.5, "2027-06-30", "ja", "=1+2"],
    ["Çelik, Partner & Co", "celik.example", "Schweiz", "Zoë Çelik", "zoe@celik.example", "+41 44 5550123",
     "Die Lagerbestände stimmen nie mit dem ERP überein.", 75000.25, "2027-01-15", "nein", ""],
]

def fods(lang, country, names, rows, fmt):
    de = lang == "de"
    cell = lambda v: f'<table:table-cell office:value-type="string">' + "".join(f"<text:p>{html.escape(l)}</text:p>" for l in v.split("\n")) + "</table:table-cell>"
    body = "".join(cell(n) for n in names)
    out = f"<table:table-row>{body}</table:table-row>"
    for r in rows:
        cells = ""
        for i, v in enumerate(r):
            if i == 7 and r is rows[-1]:
                cells += f'<table:table-cell table:style-name="money" table:formula="of:=75000+0.25" office:value-type="currency" office:value="{v}"/>'
            elif i == 7:
                cells += f'<table:table-cell table:style-name="money" office:value-type="currency" office:currency="{"EUR" if de else "USD"}" office:value="{v}"/>'
            elif i == 8:
                cells += f'<table:table-cell table:style-name="day" office:value-type="date" office:date-value="{v}"/>'
            else:
                cells += cell(v)
        out += f"<table:table-row>{cells}</table:table-row>"
    symbol = '<number:number number:decimal-places="2" number:min-decimal-places="2" number:min-integer-digits="1" number:grouping="true"/><number:text> </number:text><number:currency-symbol number:language="de" number:country="DE">€</number:currency-symbol>' if de else \
        '<number:currency-symbol number:language="en" number:country="US">$</number:currency-symbol><number:number number:decimal-places="2" number:min-decimal-places="2" number:min-integer-digits="1" number:grouping="true"/>'
    day = '<number:day number:style="long"/><number:text>.</number:text><number:month number:style="long"/><number:text>.</number:text><number:year number:style="long"/>' if de else \
        '<number:month/><number:text>/</number:text><number:day/><number:text>/</number:text><number:year number:style="long"/>'
    return f'''<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:styles><style:default-style style:family="table-cell"><style:text-properties fo:language="{lang}" fo:country="{country}"/></style:default-style></office:styles>
<office:automatic-styles>
<number:currency-style style:name="n1" number:language="{lang}" number:country="{country}">{symbol}</number:currency-style>
<number:date-style style:name="n2" number:language="{lang}" number:country="{country}">{day}</number:date-style>
<style:style style:name="money" style:family="table-cell" style:data-style-name="n1"/>
<style:style style:name="day" style:family="table-cell" style:data-style-name="n2"/>
</office:automatic-styles>
<office:body><office:spreadsheet><table:table table:name="Leads">{out}</table:table></office:spreadsheet></office:body></office:document>
'''

def soffice(src, to, out):
    with tempfile.TemporaryDirectory() as tmp:
        subprocess.run(["soffice", "--headless", f"-env:UserInstallation=file://{tmp}/profile", "--convert-to", to, "--outdir", tmp, src], check=True, stdout=subprocess.DEVNULL)
        made = [f for f in os.listdir(tmp) if f != "profile"]
        os.replace(os.path.join(tmp, made[0]), os.path.join(HERE, out)) if os.stat(tmp).st_dev == os.stat(HERE).st_dev else \
            subprocess.run(["cp", os.path.join(tmp, made[0]), os.path.join(HERE, out)], check=True)

def write(name, data):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(data)

def libreoffice():
    with tempfile.TemporaryDirectory() as tmp:
        for lang, country, names, lcid in (("de", "DE", DE, 1031), ("en", "US", US, 1033)):
            src = os.path.join(tmp, lang + ".fods")
            open(src, "w", encoding="utf-8").write(fods(lang, country, names, ROWS, None))
            sep = 59 if lang == "de" else 44
            # separator, text delimiter, character set (76 UTF-8, 1 Windows-1252, 65535 UTF-16), first
            # line, formats, language, quote all text, detect numbers / save as shown
            for charset, code in (("utf8", 76), ("windows1252", 1), ("utf16", 65535)):
                rows = f'csv:Text - txt - csv (StarCalc):{sep},34,{code},1,,{lcid},false,true'
                soffice(src, rows, f"libreoffice-{lang}-{charset}.csv")
            soffice(src, "xlsx", f"libreoffice-{lang}.xlsx")
            if lang == "de":
                soffice(src, "ods", "libreoffice-de.ods")
                soffice(src, "xls", "libreoffice-de.xls")

def quoted(rows, sep, end, always=False):
    def q(v):
        return '"' + v.replace('"', '""') + '"' if always or any(c in v for c in (sep, '"', "\n", "\r")) else v
    return "".join(sep.join(q(v) for v in r) + end for r in rows)

def shown(de):
    out = []
    for r in ROWS:
        r = list(r)
        n = f"{r[7]:,.2f}"
        r[7] = n.translate(str.maketrans(",.", ".,")) + " €" if de else "$" + n
        y, m, d = r[8].split("-")
        r[8] = f"{d}.{m}.{y}" if de else f"{int(m)}/{int(d)}/{y}"
        if r[10].startswith("="):
            r[10] = "3"  # a formula is saved as its value
        out.append(r)
    return out

def imitations():
    de, us = [DE] + shown(True), [US] + shown(False)
    # "CSV (MS-DOS/Windows)": the list separator and the ANSI code page of the system, CR LF
    ansi = lambda s: s.replace("ş", "s").encode("cp1252")
    write("excel-de-csv.csv", ansi(quoted(de, ";", "\r\n")))
    # "CSV UTF-8": a byte order mark, the list separator of the system
    write("excel-de-csv-utf8.csv", b"\xef\xbb\xbf" + quoted(de, ";", "\r\n").encode())
    write("excel-us-csv-utf8.csv", b"\xef\xbb\xbf" + quoted(us, ",", "\r\n").encode())
    # "Unicode Text": UTF-16 LE with mark, tabs
    write("excel-de-unicode.txt", b"\xff\xfe" + quoted(de, "\t", "\r\n").encode("utf-16-le"))
    # "CSV (Macintosh)": Mac Roman, CR; line breaks within cells are LF, which Mac Roman keeps
    write("excel-mac.csv", quoted([[v.replace("ş", "s").replace("\n", " ") for v in r] for r in us], ",", "\r").encode("mac_roman"))
    # with a first line that tells the separator, and empty columns behind
    write("excel-sep.csv", ("sep=;\r\n" + quoted([r + ["", ""] for r in de], ";", "\r\n")).encode())
    # Google Sheets: commas in every locale, UTF-8 without mark, CR LF, none behind the last row
    write("google-us.csv", quoted(us, ",", "\r\n").rstrip("\r\n").encode())
    google = [DE] + [[*r[:7], r[7], *r[8:]] for r in shown(True)]
    write("google-de.csv", quoted(google, ",", "\r\n").rstrip("\r\n").encode())
    # Numbers: the separator of the locale, UTF-8 without mark, CR LF
    write("numbers-de.csv", quoted([["Tabelle 1"] + [""] * 10] + de, ";", "\r\n").encode())

if __name__ == "__main__":
    if sys.argv[1:] != ["imitations"]:
        libreoffice()
    imitations()
