/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registrable part of a host name. */
#include "config.h"

#include "model/field.h"

/* Public suffixes of two labels under which names are registered as under a
 * top-level domain. The whole public suffix list has 10,000 entries and changes
 * weekly; these are the countries' own and the hosting domains that a rule is
 * likely to meet. A suffix that is missing makes the answer one label short.
 */
static const char *const suffixes[] = {
	"ac.jp",        "ac.kr",       "ac.nz",       "ac.uk",
	"ac.za",        "appspot.com", "asn.au",      "azurewebsites.net",
	"blogspot.com", "co.id",       "co.il",       "co.in",
	"co.jp",        "co.ke",       "co.kr",       "co.nz",
	"co.th",        "co.uk",       "co.za",       "com.ar",
	"com.au",       "com.br",      "com.cn",      "com.co",
	"com.eg",       "com.hk",      "com.mx",      "com.my",
	"com.ng",       "com.pe",      "com.ph",      "com.pk",
	"com.pl",       "com.sa",      "com.sg",      "com.tr",
	"com.tw",       "com.ua",      "com.vn",      "edu.au",
	"edu.cn",       "fly.dev",     "github.io",   "gitlab.io",
	"go.jp",        "gov.au",      "gov.br",      "gov.cn",
	"gov.in",       "gov.uk",      "govt.nz",     "herokuapp.com",
	"ne.jp",        "net.au",      "net.br",      "net.cn",
	"net.nz",       "net.uk",      "netlify.app", "nhs.uk",
	"or.jp",        "or.kr",       "org.au",      "org.br",
	"org.cn",       "org.nz",      "org.uk",      "org.za",
	"pages.dev",    "sch.uk",      "vercel.app",  "web.app",
	"workers.dev",
};

/* Where the label before END begins; 0 when it is the first. */
static size_t label_start(struct secl_string host, size_t end)
{
	while (end && host.text[end - 1] != '.')
		end--;
	return end;
}

static bool is_suffix(struct secl_string part)
{
	for (size_t i = 0; i < ELEMENTS(suffixes); i++)
		if (strlen(suffixes[i]) == part.size &&
		    strncasecmp(suffixes[i], part.text, part.size) == 0)
			return true;
	return false;
}

/* No top-level domain is a number, and no host name has a colon. */
static bool is_address(struct secl_string host, size_t last)
{
	if (memchr(host.text, ':', host.size))
		return true;
	for (size_t i = last; i < host.size; i++)
		if (host.text[i] < '0' || host.text[i] > '9')
			return false;
	return true;
}

struct secl_string field_root_domain(struct secl_string host)
{
	size_t end = host.size, last, second, third;

	if (end && host.text[end - 1] == '.')
		end--;
	last = label_start(host, end);
	if (last < 2 || is_address(host, last))
		return host;
	second = label_start(host, last - 1);
	if (second < 2 || !is_suffix((struct secl_string){ host.text + second, end - second }))
		return (struct secl_string){ host.text + second, end - second };
	third = label_start(host, second - 1);
	return (struct secl_string){ host.text + third, end - third };
}
