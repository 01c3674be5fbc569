#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""mkrules.py - a policy of the shape that real ones have, of any size.

    mkrules.py COUNT [SEED]

Event types, operators, fields and lengths of lists come in the proportions of a policy
of 282 rules that is in use: mostly execs, lists behind macros, ancestors and parents
excluded by lists of package managers, some patterns and few regular expressions. The
first rules are about what any machine does all day (compilers, scripts that fetch
something), so that about every fifth event of events.ndjson matches; the rest names
what no event has. The same COUNT and SEED always give the same rules.
"""
import random
import sys

ROOTS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin", "/opt/vendor/bin"]
PARTS = """agent bridge cache daemon engine filter gate hook index judge kernel link miner node
oracle proxy query relay scan tunnel update vault watch xfer yield zone crypt drop exfil
implant loader persist recon shade spawn stage stealth trojan worm beacon pivot""".split()
DIRECTORIES = ["/tmp", "/var/tmp", "/dev/shm", "/run/user", "/etc/cron.d", "/etc/systemd/system",
               "/root/.ssh", "/etc/pam.d", "/var/spool/cron", "/usr/lib/security", "/opt/app"]

MACROS = {
    "PACKAGE_MANAGERS": [r for b in ["apt", "apt-get", "dpkg", "rpm", "yum", "dnf", "apk", "pip3",
                                     "snap", "zypper", "unattended-upgrade", "update-alternatives"]
                         for r in ("/usr/bin/" + b, "/usr/local/bin/" + b)] + ["~/usr/lib/apt/**"],
    "RUNTIMES": ["/usr/bin/containerd", "/usr/bin/dockerd", "/usr/bin/runc", "/usr/bin/crun",
                 "/usr/local/bin/runc", "/usr/bin/podman", "/usr/bin/kubelet", "~/opt/cni/bin/*"],
    "COMPILERS": ["cc1", "cc1plus", "as", "ld", "collect2", "rustc", "javac"],
    "SHELLS": ["sh", "bash", "dash", "zsh", "ash", "ksh", "fish", "csh", "tcsh", "busybox"],
    "SHELL_PATHS": ["/bin/sh", "/bin/bash", "/usr/bin/bash", "/usr/bin/dash", "/usr/bin/zsh"],
    "WEB_SERVERS": ["nginx", "apache2", "httpd", "lighttpd", "caddy", "uwsgi", "gunicorn",
                    "~php-fpm*", "~nginx-*"],
    "DATABASES": ["mysqld", "mariadbd", "postgres", "mongod", "redis-server", "oracle"],
    "HTTP_UTILS": ["curl", "wget", "aria2c", "lynx", "httpie", "fetch"],
    "NET_UTILS": ["nc", "ncat", "netcat", "socat", "nmap", "masscan", "telnet", "tcpdump"],
    "INTERPRETERS": ["~python*", "~perl*", "~ruby*", "node", "lua", "php"],
    "MINER_POOLS": ["~*%s.example.com*" % p for p in PARTS[:24]],
    "CREDENTIALS": ["/etc/shadow", "/etc/gshadow", "/root/.ssh/id_rsa", "~/root/.aws/**",
                    "~/home/*/.ssh/id_*", "~/var/run/secrets/kubernetes.io/**/token"],
    "HISTORY": [".bash_history", ".zsh_history", ".mysql_history", ".psql_history"],
    "UNIT_DIRECTORIES": ["~/etc/systemd/system/**", "~/usr/lib/systemd/system/**"],
    "DD_PROCESSES": ["/opt/agent/bin/agent", "/opt/agent/embedded/bin/trace-agent"],
}

# What every machine does: these match.
COMMON = [
    'exec.file.name in COMPILERS && process.ancestors.file.name in SHELLS',
    'exec.file.name in HTTP_UTILS && exec.args =~ "*http://*"',
    'exec.file.name in ["chmod", "chown"] && process.parent.file.name in SHELLS',
    'exec.file.name == "git" && exec.argv in ["commit", "gc"] && '
    'process.ancestors.file.path not in PACKAGE_MANAGERS',
    'exec.comm in ["tar", "gzip"] && exec.args_flags in ["9", "czf", "c"]',
    'exec.file.name in ["grep", "find"] && process.ancestors.file.name == "sshd"',
    'exec.file.name in ["ss", "ip", "ps"] && process.ancestors.comm == "sshd"',
]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.serial = 0

    def name(self):
        self.serial += 1
        return "%s-%s%d" % (self.random.choice(PARTS), self.random.choice(PARTS), self.serial)

    def some(self, low, high, make):
        return "[" + ", ".join(make() for _ in range(self.random.randint(low, high))) + "]"

    def names(self, low=1, high=6):
        return self.some(low, high, lambda: '"%s"' % self.name())

    def path(self):
        return "%s/%s" % (self.random.choice(ROOTS), self.name())

    def paths(self, low=1, high=6):
        return self.some(low, high, lambda: '"%s"' % self.path())

    def globs(self):
        return self.some(1, 4, lambda: '~"%s/%s/%s"' % (
            self.random.choice(DIRECTORIES), self.name(), self.random.choice(["*", "**"])))

    def parts(self, low=1, high=8):
        return self.some(low, high, lambda: '~"*%s %s*"' % (self.name(), self.random.choice(PARTS)))

    def options(self):
        return self.some(1, 4, lambda: '~"%s=*"' % self.name())

    def regexps(self):
        return self.random.choice([
            '[r"(%s|%s|%s)"]' % (self.name(), self.name(), self.name()),
            r'[r"%s((25[0-5]|(2[0-4]|1\d|[1-9]|)\d)\.?\b){4}.*ACCEPT"]' % self.name(),
            r'[r"^\[%s.*\]$"]' % self.name(),
            r'[r"%s\.(lock|txt)$"]' % self.name(),
        ])

    def excluded(self):
        """What most rules leave out: not by a package manager, not by an agent."""
        return self.random.choice([
            ' && process.ancestors.file.path not in PACKAGE_MANAGERS',
            ' && process.file.path not in PACKAGE_MANAGERS && '
            'process.ancestors.file.path not in PACKAGE_MANAGERS',
            ' && process.parent.file.path not in RUNTIMES',
            ' && process.ancestors.file.path not in RUNTIMES && process.container.id != ""',
            ' && process.container.id != ""',
            ' && process.parent.file.path not in DD_PROCESSES',
            ' && process.args not in %s' % self.parts(1, 3),
            ''])

    def rule(self, kinds):
        kind = self.random.choice(kinds)
        return kind(self) + (self.excluded() if self.random.random() < 0.8 else '')


EXECS = 6 * [
    lambda m: 'exec.file.name in %s' % m.names(),
    lambda m: 'exec.file.name in NET_UTILS && exec.args in %s' % m.parts(),
    lambda m: 'exec.file.path in %s' % m.paths(),
    lambda m: 'exec.comm in %s && exec.args_flags in %s' % (m.names(), m.names(1, 4)),
    lambda m: 'exec.file.name in %s && process.ancestors.file.name in WEB_SERVERS' % m.names(),
    lambda m: 'exec.args in %s' % m.parts(),
    lambda m: 'exec.file.name == "%s" && exec.args =~ "*%s*"' % (m.name(), m.name()),
] + 2 * [
    lambda m: '(exec.comm in SHELLS || exec.file.name in SHELLS) && '
              'process.parent.file.name in %s' % m.names(),
    lambda m: '(exec.file.path in SHELL_PATHS || exec.comm in HTTP_UTILS) && '
              'process.ancestors.file.path in %s' % m.paths(),
    lambda m: 'exec.file.path in %s && process.parent.file.name in DATABASES' % m.globs(),
    lambda m: 'exec.args_options in %s || exec.args_flags in %s' % (m.options(), m.names()),
    lambda m: '"%s" in exec.argv && exec.file.name in INTERPRETERS' % m.name(),
    lambda m: '(exec.file.name in HTTP_UTILS || exec.comm in HTTP_UTILS) && exec.args in %s' %
              m.parts(2, 10),
    lambda m: 'exec.args in MINER_POOLS && exec.file.name in %s' % m.names(),
    lambda m: 'exec.envs in ["LD_PRELOAD=%s", ~"LD_LIBRARY_PATH=*%s*"]' % (m.path(), m.name()),
] + [
    lambda m: 'exec.args in %s' % m.regexps(),
    lambda m: 'exec.file.name in SHELLS && process.ancestors[A].comm == "%s" && '
              'process.ancestors[A].argv in %s' % (m.name(), m.names()),
    lambda m: 'exec.file.change_time < 1s && process.container.id != "" && '
              'exec.file.in_upper_layer && exec.file.path not in %s' % m.globs(),
    lambda m: 'exec.uid > 0 && exec.euid == 0 && exec.file.path not in SHELL_PATHS && '
              'exec.tty_name != "" && process.ancestors.file.name in %s' % m.names(),
]


def about_file(event):
    def condition(m):
        return m.random.choice([
            lambda: '%s.file.path in %s' % (event, m.globs()),
            lambda: '%s.file.path in CREDENTIALS && process.file.path not in %s' % (event,
                                                                                    m.paths()),
            lambda: '%s.file.name in HISTORY && process.comm in %s' % (event, m.names()),
            lambda: '%s.file.path in UNIT_DIRECTORIES && process.comm not in %s' % (event,
                                                                                    m.names()),
            lambda: '%s.file.path == "%s"' % (event, m.path()),
        ])()
    return condition


def opened(m):
    return about_file("open")(m) + ' && open.flags & (O_CREAT|O_RDWR|O_WRONLY) > 0'


def connected(m):
    return m.random.choice([
        lambda: 'connect.addr.port in [%d, %d] && connect.addr.is_public == true && '
                'process.comm in %s' % (m.random.randrange(1, 65535), m.random.randrange(1, 65535),
                                        m.names()),
        lambda: 'connect.addr.ip in [10.%d.0.0/16] && process.file.name in NET_UTILS' %
                m.random.randrange(256),
        lambda: 'connect.addr.hostname in %s' % m.some(1, 6, lambda: '"%s.example.org"' % m.name()),
    ])()


# (share of a thousand rules, what they are like)
SHARES = [
    (380, EXECS), (174, [opened]), (53, [connected]),
    (53, [about_file("unlink")]), (39, [about_file("chmod")]), (35, [about_file("chown")]),
    (35, [about_file("link")]), (35, [about_file("rename")]), (35, [about_file("utimes")]),
    (35, [lambda m: 'dns.question.name in %s' % m.some(
        2, 8, lambda: '~"*.%s.example.net"' % m.name())]),
    (126, [lambda m: 'load_module.name in %s' % m.names(),
           lambda m: 'ptrace.request == PTRACE_POKETEXT && process.file.path not in %s' % m.paths(),
           lambda m: 'bpf.cmd == BPF_PROG_LOAD && process.file.name in %s' % m.names(),
           lambda m: 'setuid.euid == 0 && process.file.name in %s' % m.names(),
           lambda m: 'signal.type > 31 && process.file.path in %s' % m.globs()]),
]


def literal(text):
    return '~"%s"' % text[1:] if text[0] == "~" else '"%s"' % text


def main():
    count = int(sys.argv[1])
    maker = Maker(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    kinds = [kind for share, kinds in SHARES for kind in [kinds] * share]

    print("version: 1.0.0\nmacros:")
    for name, values in MACROS.items():
        print("  - id: %s\n    expression: >-\n      [%s]" % (name, ", ".join(map(literal, values))))
    print("rules:")
    for i in range(count):
        text = COMMON[i] if i < len(COMMON) else maker.rule(maker.random.choice(kinds))
        print("  - id: rule_%d\n    description: Generated rule number %d." % (i, i))
        print("    expression: >-\n      %s" % text)
        print("    tags: {ruleset: bench, tactic: TA0002-execution}")
        if i % 5 == 4:
            print("    actions: [{set: {name: seen_%d, scope: cgroup, append: true, ttl: 3600s, "
                  "private: true, field: process.args}}]" % (i % 60))


main()
