"""URLs of hooks by which a holder of a bearer key would reach this machine or a private network."""

PRIVATE_ADDRESSES = (
    # IPv4: this host, private, shared, loopback, link-local, protocol, tests, multicast, reserved
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1", "100.127.255.254"),  # noqa: S104
    *("127.0.0.1", "127.0.0.53", "127.1.1.1", "127.255.255.254", "169.254.0.1", "169.254.169.254"),
    *("169.254.169.253", "169.254.170.2", "169.254.170.23", "172.16.0.1", "172.31.255.254"),
    *("192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.254"),
    *("198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.2.3"),
    *("240.0.0.1", "255.255.255.255"),
    # IPv6: the same
    *("::", "::1", "fe80::1", "fe80::1%eth0", "febf::1", "fc00::1", "fd00::1", "fd00:ec2::254"),
    *("fd00:ec2::23", "fec0::1", "ff02::1", "ff0e::1", "100::1", "2001:db8::1", "2001:2::1"),
    *("2001:10::1", "5f00::1", "4000::1", "e000::1"),
    # IPv6 that holds an IPv4 address: mapped, compatible, translated, NAT64, 6to4, Teredo
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8"),
    *("::127.0.0.1", "::169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1"),
    *("64:ff9b::169.254.169.254", "64:ff9b:1::10.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::7f00:1"),
)
"""Addresses outside of the public internet. Amazon has services at link-local addresses: metadata
of instances, tasks and pods, time, resolver."""

PUBLIC_ADDRESSES = ("8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450::1")

_SPELLINGS = (
    # An IPv4 address in the spellings that a resolver or a browser reads
    *("https://2130706433/", "https://017700000001/", "https://0x7f000001/", "https://0x7f.1/"),
    *("https://127.1/", "https://127.0.1/", "https://0177.0.0.1/", "https://0x7f.0.0.0x1/"),
    *("https://0/", "https://0x0/", "https://127.0.0.1./", "https://127.0.0.1:8443/"),
    *("https://2852039166/", "https://0xa9fea9fe/", "https://0251.0376.0251.0376/"),
    *("https://169.254.43518/", "https://1.0x7f.1.1/", "https://8.8.8.8/"),
    *("https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:7f00:1]/", "https://[2606:4700::1]/"),
    *("https://[v1.fe80::1]/", "https://[fe80::1%25lo]/", "https://::1/"),
    # Digits, points and letters of other scripts, which some libraries turn into ASCII
    *("https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://127．0．0．1/", "https://ⓛocalhost/"),  # noqa: RUF001
    *("https://lоcalhost/", "https://exämple.com/", "https://example。com/", "https://٢.٢.٢.٢/"),  # noqa: RUF001
    # Names of this machine and of private networks
    *("https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/"),
    *("https://localhost.localdomain:80/", "https://printer.local/", "https://router.lan/"),
    *("https://nas.HOME/", "https://wiki.corp/", "https://portal.intranet/", "https://x.onion/"),
    *(
        "https://metadata.google.internal/computeMetadata/v1/",
        "https://instance-data.ec2.internal/",
    ),
    *(
        "https://ip-10-0-0-1.ec2.internal/",
        "https://1.0.0.127.in-addr.arpa/",
        "https://gw.home.arpa/",
    ),
    *("https://intranet/", "https://kubernetes/", "https://metadata/", "https://api/"),
    # Another scheme, or none
    *("http://example.com/", "HTTP://example.com/", "ftp://example.com/", "file:///etc/passwd"),
    *("gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/", "ldap://example.com/"),
    *("ws://example.com/", "wss://example.com/", "javascript:alert(1)", "data:text/plain,x"),
    *("jar:https://example.com!/", "unix:///var/run/docker.sock", "//example.com/", "example.com"),
    *("https:/example.com/", "https:example.com", "https:///example.com/", "https://", "https:///"),
    *(
        "HTTPS://example.com/",
        "https ://example.com/",
        " https://example.com/",
        "view-source:https://a.com/",
    ),
    # A user, a second host, or a sign that parsers read differently
    *("https://user@example.com/", "https://user:secret@example.com/", "https://@example.com/"),
    *("https://example.com@127.0.0.1/", "https://127.0.0.1@example.com/", "https://a:b@c:d@e.com/"),
    *(
        "https://example.com\\@127.0.0.1/",
        "https://example.com\\.127.0.0.1/",
        "https:\\\\127.0.0.1\\",
    ),
    *(
        "https://127.0.0.1\\example.com/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/#x",
    ),
    *(
        "https://example.com#.127.0.0.1/",
        "https://example.com?@127.0.0.1/",
        "https://example.com?x",
    ),
    *(
        "https://example.com;127.0.0.1/",
        "https://example.com,127.0.0.1/",
        "https://example.com 127.0.0.1/",
    ),
    *(
        "https://example.com%00.127.0.0.1/",
        "https://127.0.0.1%00.example.com/",
        "https://%6c%6fcalhost/",
    ),
    *("https://%31%32%37.0.0.1/", "https://example.com%2f@127.0.0.1/", "https://example.com%23/"),
    *("https://$(id).example.com/", "https://{a,b}.example.com/", "https://*.example.com/"),
    *(
        "https://exa_mple.com/",
        "https://-example.com/",
        "https://example-.com/",
        "https://.example.com/",
    ),
    *(
        "https://example..com/",
        "https://example.com./",
        "https://example.1/",
        "https://example.0x1/",
    ),
    *(
        "https://1.2.3.4.5/",
        "https://example.c/",
        "https://.../",
        "https://a." + "b" * 64 + ".com/",
    ),
    # Signs that end a header or a line, and space
    *(
        "https://example.com/\r\nHost: 127.0.0.1",
        "https://example.com/\nx",
        "https://example.com/\t",
    ),
    *(
        "https://example.com/ x",
        "https://exam\nple.com/",
        "https://example.com/\x00",
        "https://ex\tample.com/",
    ),
    *(
        "https://example.com/\u2028x",
        "https://example.com/é",
        "https://example.com/\\x",
        'https://example.com/"',
    ),
    *(
        "https://example.com/<x>",
        "https://example.com/{x}",
        "https://example.com/|",
        "https://example.com/^",
    ),
    # Ports of other services
    *("https://example.com:0/", "https://example.com:22/", "https://example.com:25/"),
    *("https://example.com:80/", "https://example.com:444/", "https://example.com:1023/"),
    *("https://example.com:65536/", "https://example.com:99999/", "https://example.com:-1/"),
    *(
        "https://example.com:/",
        "https://example.com:443x/",
        "https://example.com:٤٤٣/",
        "https://example.com:443:80/",
    ),
    # Only the local stack allows its own receivers
    *(
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/hook",
        "http://localhost:8080/",
        "http://[::1]:80/",
    ),
    # Too long
    "https://example.com/" + "x" * 2048,
)

HOSTILE_URLS = (
    *_SPELLINGS,
    *(f"https://{a}/" if ":" not in a else f"https://[{a}]/" for a in PRIVATE_ADDRESSES),
)
"""URLs that no hook may have."""

GOOD_URLS = (
    *("https://example.com", "https://example.com/", "https://a.b-c.example.co.uk/x/y?z=1&t=%20"),
    *("https://example.com:443/", "https://example.com:8443/hook", "https://xn--exmple-cua.com/"),
    *(
        "https://example.com/a@b:c",
        "https://EXAMPLE.com/",
        "https://hooks.example.com:65535/a?b=[c]",
    ),
)
