"""Writes tests/jinja/jinja2_reference.json: templates with the output of the real jinja2.

Usage: pip install jinja2==3.1.6 && python3 scripts/jinja-reference.py
A template that fails in jinja2 is recorded as {"error": "<exception class>"}; seg must fail on it too.
"""

import json
import pathlib

import jinja2

CONTEXT = {
    "users": [
        {"name": "Bob", "age": 30, "tags": ["a", "b"], "address": {"city": "Bonn"}},
        {"name": "alice", "age": 25, "tags": [], "address": {"city": "Aachen"}},
        {"name": "Carol", "age": 30, "tags": ["c"], "address": {"city": "Celle"}},
    ],
    "text": "The quick brown fox jumps over the lazy dog",
    "n": 7,
    "big": 12345678901234567890,
    "f": 2.5,
    "none_value": None,
    "flag": True,
    "empty": [],
    "d": {"b": 2, "a": 1, "C": 3},
    "nested": {"list": [1, 2, {"x": [10, 20]}], "items": "shadow"},
    "html": "<b>it's \"x\" & y</b>",
    "umlaut": "Größe 🦊 Straße",
}

# One template a line; \n in a line is a line break of the template.
TEMPLATES = r"""
{% macro va(a, b=varargs|length) %}{{ b }}{% endmacro %}{{ va(1) }}
{% macro va(a, b=varargs|length) %}{{ b }}{{ varargs }}{% endmacro %}{{ va(1) }}
{% macro va(a, b=varargs|length) %}{{ b }}{{ varargs }}{% endmacro %}{{ va(1, 2, 3) }}
{% macro kw(a, b=kwargs|length) %}{{ b }}{{ kwargs }}{% endmacro %}{{ kw(1, c=2) }}
{% macro ca(a, b=caller is defined) %}{{ b }}{% endmacro %}{{ ca(1) }}
{% macro ca(a, b=caller()) %}[{{ b }}|{{ caller() }}]{% endmacro %}{% call ca(1) %}x{% endcall %}
{% macro out(a) %}{% macro inner(b=varargs|length) %}{{ b }}{% endmacro %}{{ inner() }}{% endmacro %}{{ out(1, 2) }}
{% macro out(a) %}{% macro inner() %}{{ varargs|length }}{% endmacro %}{{ inner(5, 6) }}{% endmacro %}{{ out(1, 2) }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ -7 // -2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ 7.5 % -2 }} {{ 6.0 // 2 }}
{{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ 2.0 ** 2 }}
{{ 10 / 2 }} {{ 7 / 2 }} {{ 1 / 3 }} {{ 1e3 }} {{ 1.5e-7 }} {{ 1e16 }} {{ 123456789012345680.0 }}
{{ 9007199254740993 }} {{ 9007199254740992 + 1 }} {{ big * 2 }} {{ big // 7 }} {{ big % 1000 }} {{ 2 ** 100 }}
{{ 0x1f }} {{ 0b101 }} {{ 0o17 }} {{ 1_000_000 }} {{ 1_0.5 }}
{{ 0.1 + 0.2 }} {{ 100.0 }} {{ 1e22 }} {{ 0.0001 }} {{ 0.00001 }} {{ -0.0 }}
{{ true + 1 }} {{ true * 3 }} {{ 1 == 1.0 }} {{ 1 == true }} {{ '1' == 1 }} {{ none == false }}
{{ 3 * 'ab' }} {{ [1, 2] * 2 }} {{ 'ab' * 0 }} {{ 'ab' * -1 }} {{ (1,) * 2 }}
{{ [1] + [2, 3] }} {{ (1,) + (2,) }} {{ 'a' + 'b' }}
{{ 1 ~ 2 ~ none ~ true ~ [1, 'a'] ~ 1.0 }}
{{ 'a' 'b' "c" }} {{ "it's" }} {{ 'say "hi"' }} {{ ["it's", 'say "hi"', 'both \' "'] }}
{{ '\x41\u00e9\t|\\' }} {{ ['\x41\u00e9\t\n\\', '\x00\x7f\u200b'] }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 2 >= 2 != 1 }} {{ 1 in [1] in [[1]] }}
{{ not true and false }} {{ not (true and false) }} {{ true or false and false }} {{ 0 or '' or [] or 'x' }} {{ 1 and 2 }}
{{ [1, 2] < [1, 3] }} {{ (1, 2) == (1, 2) }} {{ [1] == (1,) }} {{ {'a': 1} == {'a': 1.0} }} {{ 'a' < 'b' }}
{{ 'x' if n > 5 else 'y' }} {{ 'x' if n < 5 }} {{ 'a' if false else 'b' if false else 'c' }}
{{ 'ell' in 'hello' }} {{ 3 not in [1, 2] }} {{ 'a' in d }} {{ 'z' in d }} {{ (1, 2) in [(1, 2)] }}
{{ -3|abs }} {{ (-3)|abs }} {{ -3.5|abs }} {{ 3 - 2 - 1 }} {{ 2 * 3 + 4 * 5 }} {{ (2 + 3) * 4 }} {{ +n }} {{ - -n }}
{{ 1 < 2 | int }}
{{ () }} {{ (1,) }} {{ 1, 2 }} {{ (1, 'a', none) }} {{ [] }} {{ {} }} {{ [[]] }} {{ {'a': {'b': []}} }}
{{ {1: 'x', 2.5: 'y', none: 'z', (1, 2): 't'} }}
{{ [1, 2, 3][1] }} {{ [1, 2, 3][-1] }} {{ [1, 2, 3].0 }} {{ 'abc'[1] }} {{ 'abc'[-1] }} {{ (1, 2)[1] }}
{{ [1, 2, 3, 4, 5][1:3] }} {{ [1, 2, 3, 4, 5][::2] }} {{ [1, 2, 3, 4, 5][::-1] }} {{ [1, 2, 3, 4, 5][-2:] }} {{ [1, 2, 3][5:] }} {{ 'hello'[1:-1] }} {{ 'hello'[::-1] }} {{ (1, 2, 3)[1:] }} {{ [1, 2, 3, 4][3:0:-2] }}
{{ nested.list[2].x[1] }} {{ nested['list'][0] }} {{ nested.items is callable }} {{ nested['items'] }}
{{ d.a }} {{ d['a'] }} {{ d.get('zz') }} {{ d.get('zz', 9) }} {{ d.keys() }} {{ d.values() }} {{ d.items() }}
{{ d.keys()|list }} {{ d.values()|sum }} {{ d.items()|list }} {{ d|length }} {{ d|list }} {{ d.keys()|length }}
{% set x = {} %}{% do x.update(a=1) %}{% do x.update({'b': 2}) %}{% do x.update([('c', 3)]) %}{{ x }}{{ x.pop('a') }}{{ x.pop('zz', 'no') }}{{ x.setdefault('q', []) }}{{ x }}
{% set x = [3, 1, 2] %}{% do x.append(5) %}{% do x.extend([7]) %}{% do x.insert(0, 9) %}{{ x }}{{ x.pop() }}{{ x.pop(0) }}{% do x.remove(1) %}{% do x.reverse() %}{{ x }}{% do x.sort() %}{{ x }}{{ x.index(3) }}{{ x.count(5) }}{{ x.copy() }}
{% set x = [1] %}{% set y = x %}{% do y.append(2) %}{{ x }}
{% set x = [1, 2] %}{% do x.insert(-1, 9) %}{{ x }}{% do x.clear() %}{{ x }}
{{ dict(a=1, b=2) }} {{ dict([('x', 1)]) }} {{ dict({'a': 1}, b=2) }}
{{ range(5) }} {{ range(5)|list }} {{ range(1, 10, 3)|list }} {{ range(5, 0, -2)|list }} {{ range(3)[1] }} {{ range(3)|length }} {{ 2 in range(3) }}
{{ 'a,b,,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a b c '.rsplit(none, 1) }} {{ ' a b c '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }}
{{ '  x '.strip() }}| {{ '  x '.lstrip() }}| {{ '  x '.rstrip() }}| {{ 'xxaxx'.strip('x') }} {{ 'abcba'.lstrip('ab') }}
{{ 'hello'.find('l') }} {{ 'hello'.rfind('l') }} {{ 'hello'.find('z') }} {{ 'hello'.index('e') }} {{ 'hello'.count('l') }} {{ 'hello'.find('l', 3) }} {{ 'aaa'.count('') }}
{{ 'hello'.startswith('he') }} {{ 'hello'.endswith(('x', 'lo')) }} {{ 'hello'.startswith('l', 2) }}
{{ 'hello world'.title() }} {{ 'hELLO'.capitalize() }} {{ 'Hello'.swapcase() }} {{ "they're bill's".title() }} {{ 'aB'.casefold() }}
{{ 'x'.center(5) }}| {{ 'x'.center(4, '*') }} {{ 'xy'.center(5, '*') }} {{ 'x'.ljust(3) }}| {{ 'x'.rjust(3, '.') }} {{ '-7'.zfill(4) }} {{ '7'.zfill(3) }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ 'aaa'.replace('a', 'b') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'abc'.replace('', '-') }} {{ 'abc'.replace('', '-', 2) }} {{ 'a$b'.replace('$', '$&') }}
{{ 'abc'.isalpha() }} {{ 'ab1'.isalnum() }} {{ '12'.isdigit() }} {{ ''.isdigit() }} {{ ' '.isspace() }} {{ 'AB'.isupper() }} {{ 'ab1'.islower() }} {{ '1'.isupper() }} {{ 'Ab Cd'.istitle() }} {{ 'a_1'.isidentifier() }}
{{ 'a\nb\r\nc'.splitlines() }} {{ 'a\nb'.splitlines(true) }} {{ 'a\n'.splitlines() }} {{ 'prefix_x'.removeprefix('prefix_') }} {{ 'x_sfx'.removesuffix('_sfx') }} {{ 'a\tb'.expandtabs(4) }}
{{ '-'.join(['a', 'b']) }} {{ ', '.join(d) }} {{ '-'.join('abc') }} {{ ''.join([]) }}
{{ '{} {}'.format(1, 'a') }} {{ '{1} {0}'.format(1, 'a') }} {{ '{x}'.format(x=1) }} {{ '{{}} {}'.format(1) }} {{ '{!r}'.format('a') }} {{ '{0[a]} {0[b]}'.format(d) }} {{ '{0[1]}'.format([1, 2]) }}
{{ '{:5}|{:<5}|{:>5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd', 'e') }} {{ '{:5}|{:<5}|{:05}|{:+}|{: }'.format(1, 2, 3, 4, 5) }}
{{ '{:.2f} {:,} {:,.2f} {:.1%} {:e} {:g} {:x} {:X} {:#x} {:b} {:o} {:c}'.format(3.14159, 1234567, 1234567.891, 0.256, 12345.678, 0.00001234, 255, 255, 255, 5, 8, 65) }}
{{ '{:010.3f}|{:>{}}|{:.{}f}'.format(3.14159, 'a', 5, 2.71828, 3) }} {{ '{:_}'.format(1000000) }} {{ '{:g} {:g} {:G}'.format(100000, 1000000, 1e-10) }} {{ '{}'.format(1.0) }} {{ '{:.3}'.format('abcdef') }} {{ '{:.3}'.format(3.14159) }}
{{ '%s %d %i' % ('a', 3.9, 4) }} {{ '%5d|%-5d|%05d|%+d|% d' % (1, 2, 3, 4, 5) }} {{ '%.2f %e %g' % (3.14159, 12345.678, 0.0001) }} {{ '%x %X %o %#x' % (255, 255, 8, 255) }} {{ '%r %s' % ('a', none) }} {{ '%5s|%-5s|%.2s' % ('a', 'b', 'cde') }} {{ '100%%' % () }} {{ '%(a)s-%(b)03d' % {'a': 'x', 'b': 7} }} {{ '%s' % 'x' }} {{ '%s' % [1, 2] }} {{ '%c%c' % ('a', 98) }} {{ '%*d' % (5, 42) }}
{{ '%.0f %.0f %.0f %.0f' % (0.5, 1.5, 2.5, 3.5) }} {{ '%.2f' % 2.675 }} {{ '%.1f' % 0.25 }} {{ '{:.0f}'.format(2.5) }}
{{ users|map(attribute='name')|join(', ') }} {{ users|map(attribute='address.city')|list }} {{ users|map(attribute='zip', default='-')|list }} {{ users|map('length')|list }} {{ ['a', 'b']|map('upper')|list }} {{ ['a ', ' b']|map('trim')|map('replace', 'a', 'x')|list }}
{{ users|selectattr('age', 'gt', 26)|map(attribute='name')|list }} {{ users|rejectattr('tags')|map(attribute='name')|list }} {{ users|selectattr('name', 'in', ['Bob'])|list|length }} {{ users|selectattr('address.city', 'equalto', 'Celle')|map(attribute='age')|list }}
{{ [1, 2, 3, 4]|select('even')|list }} {{ [1, 2, 3, 4]|reject('divisibleby', 3)|list }} {{ [0, 1, '', 'a', none]|select|list }} {{ [0, 1, '']|reject|list }} {{ [1, 5]|select('>', 2)|list }} {{ ['a', 'b']|select('in', ['a'])|list }}
{{ users|sort(attribute='name')|map(attribute='name')|list }} {{ users|sort(attribute='name', case_sensitive=true)|map(attribute='name')|list }} {{ users|sort(attribute='age,name')|map(attribute='name')|list }} {{ ['b', 'A', 'c']|sort }} {{ ['b', 'A', 'c']|sort(case_sensitive=true) }} {{ [3, 1, 2]|sort(reverse=true) }} {{ [3, 1, 2]|sort(true) }}
{{ users|groupby('age')|map('first')|list }} {% for age, list in users|groupby('age') %}{{ age }}={{ list|map(attribute='name')|join('+') }};{% endfor %} {% for g in users|groupby('address.city') %}{{ g.grouper }}:{{ g.list|length }} {% endfor %} {{ [{'a': 'x'}, {'a': 'X'}, {}]|groupby('a', default='zz')|list }}
{{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ [1, 2, 3, 4, 5]|batch(2, 'x')|list }} {{ [1, 2, 3, 4, 5]|slice(3)|list }} {{ [1, 2, 3, 4, 5]|slice(3, '-')|list }}
{{ d|dictsort }} {{ d|dictsort(true) }} {{ d|dictsort(by='value') }} {{ d|dictsort(reverse=true) }} {{ d|items|list }}
{{ [1, 2, 2, 1, 3]|unique|list }} {{ ['a', 'A', 'b']|unique|list }} {{ ['a', 'A', 'b']|unique(true)|list }} {{ users|unique(attribute='age')|map(attribute='name')|list }}
{{ [3, 1, 2]|min }} {{ [3, 1, 2]|max }} {{ ['b', 'A']|min }} {{ ['b', 'A']|min(case_sensitive=true) }} {{ users|max(attribute='age') == users[0] }} {{ users|min(attribute='age') == users[1] }}
{{ [1, 2, 3]|sum }} {{ [1.5, 2]|sum }} {{ users|sum(attribute='age') }} {{ [1]|sum(start=10) }} {{ []|sum }} {{ [[1], [2]]|sum(start=[]) }}
{{ [1, 2]|first }} {{ [1, 2]|last }} {{ 'abc'|first }} {{ 'abc'|last }} {{ [1, 2]|reverse|list }} {{ 'abc'|reverse }} {{ (1, 2)|last }}
{{ [1, none, 'a']|join(',') }} {{ 'abc'|join('-') }} {{ users|join(';', attribute='name') }} {{ [1, 2]|join }} {{ d|join(',') }}
{{ none_value|default('x') }} {{ none_value|default('x', true) }} {{ missing|default('x') }} {{ ''|default('x', boolean=true) }} {{ missing|d(1) + 1 }} {{ missing is defined }} {{ missing|default }}|
{{ '42'|int }} {{ '42.9'|int }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ 'ff'|int(base=16) }} {{ '0x1f'|int(0, 16) }} {{ 3.9|int }} {{ -3.9|int }} {{ none|int }} {{ true|int }} {{ ' 7 '|int }} {{ '1_000'|int }} {{ '12345678901234567890'|int + 1 }} {{ '1e3'|int }}
{{ '1.5'|float }} {{ 'x'|float }} {{ 'x'|float(2.5) }} {{ 3|float }} {{ '1e3'|float }} {{ 'inf'|float }} {{ 'x'|float(none) }}
{{ 2.5|round }} {{ 3.5|round }} {{ 2.675|round(2) }} {{ 42.55|round(1, 'floor') }} {{ 42.51|round(1, 'ceil') }} {{ 7|round }} {{ 1234|round(-2) }} {{ 1250|round(-2) }} {{ 1234.5|round(-2) }} {{ 42.55|round|int }} {{ -2.5|round }} {{ 0.5|round }}
{{ 'foo bar baz qux'|truncate(9) }} {{ 'foo bar baz qux'|truncate(9, true) }} {{ 'foo bar baz qux'|truncate(11) }} {{ 'foo bar baz qux'|truncate(11, false, '...', 0) }} {{ text|truncate(20, end='~') }}
{{ text|wordwrap(15) }} {{ 'averyveryverylongword x'|wordwrap(6) }} {{ 'averyverylongword x'|wordwrap(6, false) }} {{ 'a-b well-known hyphen-ated'|wordwrap(8) }} {{ 'ab cd\nef gh'|wordwrap(3, wrapstring='|') }} {{ 'well-known thing'|wordwrap(6, break_on_hyphens=false) }}
{{ 'a\nb\n\nc'|indent }} {{ 'a\nb'|indent(2, true) }} {{ 'a\n\nb'|indent(2, blank=true) }} {{ 'a\nb'|indent('> ') }} {{ 'a\nb\n'|indent(1) }}|
{{ text|wordcount }} {{ "it's a-b"|wordcount }} {{ text|title }} {{ 'foo-bar (baz) x_y'|title }} {{ 'FOO bar'|capitalize }} {{ 'Ab'|lower }} {{ 'Ab'|upper }} {{ ' a '|trim }}| {{ 'xax'|trim('x') }} {{ 'a'|center(5) }}|
{{ 'aab'|replace('a', 'x') }} {{ 'aab'|replace('a', 'x', 1) }} {{ 123|replace(2, 9) }} {{ 'abc'|length }} {{ 'abc'|count }} {{ 5|string + '!' }} {{ 'abc'|list }} {{ '%s-%s'|format(1, 2) }} {{ '%(a)s'|format(a=3) }}
{{ html|e }} {{ html|escape }} {{ html|striptags }} {{ '<p>a  <br/>b</p> &amp; c'|striptags }} {{ 'a b&c/d?e=ü'|urlencode }} {{ {'a b': 1, 'c': 'x/y'}|urlencode }} {{ [('k', 'v w')]|urlencode }}
{{ {'a': [1, true, none, 1.0, 'x\n']}|tojson }} {{ html|tojson }} {{ {'b': 1, 'a': 2}|tojson }} {{ [1, {'a': []}]|tojson(2) }} {{ 'é'|tojson }} {{ []|tojson(2) }}
{{ 1000|filesizeformat }} {{ 1|filesizeformat }} {{ 500|filesizeformat }} {{ 1500000|filesizeformat }} {{ 1048576|filesizeformat(true) }} {{ 999999999999999|filesizeformat }}
{{ {'class': 'x', 'id': none, 'data': 'a"b'}|xmlattr }}| {{ {'a': 1}|xmlattr(false) }}|
{{ 'see http://example.com/x?y=1, www.a.org. and me@b.de (https://c.de)'|urlize }} {{ 'http://example.com/long/path'|urlize(10, true, '_blank') }} {{ 'mailto:a@b.cc'|urlize }}
{{ {'b': [1, 2], 'a': 'x'}|pprint }} {{ 'x'|pprint }} {{ ['aaaaaaaaaaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'cccccccccccccccccccccc', 'dd']|pprint }}
{{ users|pprint }}
{{ users[0]|attr('name') is defined }} {{ n|attr('real') is defined }}
{{ 1 is odd }} {{ 2 is even }} {{ 4 is divisibleby(2) }} {{ none is none }} {{ 1 is not none }} {{ 'a' is string }} {{ 1 is string }} {{ 1 is number }} {{ 1.5 is number }} {{ true is number }} {{ true is boolean }} {{ 1 is boolean }} {{ 1 is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ true is integer }}
{{ [] is sequence }} {{ {} is sequence }} {{ 'a' is sequence }} {{ 1 is sequence }} {{ {} is mapping }} {{ [] is mapping }} {{ [] is iterable }} {{ 1 is iterable }} {{ (1,) is sequence }} {{ range is callable }} {{ n is callable }}
{{ 1 is eq 1 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 2 is le 2 }} {{ 3 is gt 2 }} {{ 3 is ge 4 }} {{ 1 is equalto(1) }} {{ 1 is sameas 1 }} {{ true is true }} {{ 1 is true }} {{ 0 is false }} {{ false is false }} {{ 'a' is in ['a'] }} {{ 'a' is in('abc') }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'Abc' is lower }} {{ '12' is lower }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'nope' is test }} {{ missing is undefined }} {{ d.zz is undefined }} {{ d.a is defined }} {{ 'x' is escaped }}
{% for x in [1, 2, 3] %}{{ loop.index }}/{{ loop.length }} {{ loop.first }} {{ loop.last }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.cycle('a', 'b') }} {{ loop.previtem|default('-') }}|{{ loop.nextitem is defined }};{% endfor %}
{% for x in 'abca' %}{% if loop.changed(x == 'a') %}[{{ x }}]{% endif %}{% endfor %} {% for x in [1, 1, 2] %}{{ loop.changed(x) }} {% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }}{{ ', ' if not loop.last }}{% endfor %} {% for k in d %}{{ k }}{% endfor %} {% for (a, (b, c)) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for x in range(10) if x is odd %}{{ loop.index }}:{{ x }} {% endfor %} {% for x in [] %}a{% else %}empty{% endfor %} {% for x in [1] if x > 5 %}a{% else %}none{% endfor %}
{% for x in [1, 2] %}{% for y in [3, 4] %}{{ loop.index }}{{ loop.length }}{% endfor %}{{ loop.index }};{% endfor %} {% for x in [1, 2] %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ y }}{% endfor %}{% endfor %}
{% for item in [{'n': 1, 'c': [{'n': 2, 'c': [{'n': 3}]}, {'n': 4}]}] recursive %}{{ item.n }}@{{ loop.depth }}{% if item.c %}({{ loop(item.c) }}){% endif %}{% endfor %}
{% for x in range(5) %}{% if x == 3 %}{% break %}{% endif %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% else %}never{% endfor %} {% for x in [1] %}{% break %}{% else %}e{% endfor %} {% for x in [1, 2] %}{% continue %}{% else %}c{% endfor %}
{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }} {% if true %}{% set x = 9 %}{% endif %}{{ x }} {% with %}{% set x = 5 %}{{ x }}{% endwith %}{{ x }}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %} {% set a = 5 %}{% with a = a + 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% set ns = namespace(x=1, y=[]) %}{% for i in range(3) %}{% set ns.x = ns.x * 2 %}{% do ns.y.append(i) %}{% endfor %}{{ ns.x }} {{ ns.y }} {% set ns.new = 'n' %}{{ ns.new }} {{ ns['x'] }}
{% set a, b = 1, 2 %}{% set a, b = b, a %}{{ a }}{{ b }} {% set (c, e) = [3, 4] %}{{ c }}{{ e }} {% set (g,) = [5] %}{{ g }} {% set t = 1, 2 %}{{ t }}
{% set q %}a{{ 1 + 1 }}b{% endset %}{{ q }}|{{ q|length }} {% set q | upper | replace('A', 'x') %}abc{% endset %}{{ q }} {% set q | trim %}  y  {% endset %}{{ q }}
{% filter upper %}a{{ 'b' }}c{% endfilter %} {% filter replace('a', 'x') | upper %}banana{% endfilter %} {% filter trim %} c {% endfilter %}
{% macro m(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=9) }} {{ m(b=3, a=4) }} {{ m(*[1, 2, 3]) }} {{ m(**{'a': 5}) }} {{ m(1, *[7]) }}
{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m() }} {{ m(1, 2, x=3) }} {{ m(*[1], **{'y': 2}) }}
{% macro m(a) %}{{ a }}|{{ varargs }}|{{ kwargs }}|{{ caller is defined }}{% endmacro %}{{ m(1, 2, z=3) }} {{ m.name }} {{ m.arguments }} {{ m.catch_kwargs }} {{ m.catch_varargs }} {{ m.caller }}
{% macro list(items) %}<{% for i in items %}{{ caller(i, loop.index) }}{% endfor %}>{% endmacro %}{% call(x, n) list(['a', 'b']) %}{{ n }}{{ x }};{% endcall %} {% call(x, n=5) list([]) %}{{ x }}{% endcall %}
{% macro outer() %}[{{ caller() }}]{% endmacro %}{% macro inner() %}({{ caller() }}){% endmacro %}{% call outer() %}{% call inner() %}x{% endcall %}{% endcall %}
{% macro outer() %}[{{ caller() }}]{% endmacro %}{% set v = 3 %}{% call outer() %}{{ v }}{% set v = 4 %}{{ v }}{% endcall %}{{ v }}
{% macro fib(n) %}{% if n < 2 %}{{ n }}{% else %}{{ fib(n - 1)|int + fib(n - 2)|int }}{% endif %}{% endmacro %}{{ fib(10) }}
{% macro m() %}{{ later }}{% endmacro %}{% set later = 'late' %}{{ m() }} {% macro n() %}{% set later = 'inner' %}{{ later }}{% endmacro %}{{ n() }}{{ later }}
{% macro m() %}  x  {% endmacro %}[{{ m() }}][{{ m()|trim }}][{{ m() ~ '!' }}] {% set r = m() %}{{ r|length }}
{%- macro m() -%}  x  {%- endmacro -%}  {{- m() -}}  {#- c -#}  y
a {%- if true -%} b {%- endif -%} c {{- ' d ' -}} e {#- x -#} f
a {%+ if true +%} b {%+ endif +%} c {{+ 'd' }} e
line1\n{% if true %}\nline2\n{% endif %}\nline3\n
\n{%- set a = 1 %}\n{{ a }}\n\n
a\r\nb\rc {{ 'x\r\ny' }}
{% raw %}{{ x }} {% if %}{% endraw %} {%- raw -%}  a  {%- endraw -%}  b {% raw -%} {# c #}{% endraw %}
{# a {{ b }} {% c %} #}x{# multi\nline #}y{##}z
{{ {'a': {'b': 1}}['a']['b'] }}{{ {'a': {}} }}{{{'a': 1}.a}}
{{ [1, 2, 3,] }} {{ {'a': 1,} }} {{ dict(a=1,) }} {{ (1, 2,) }}
{{ [\n1,\n2\n] }}
{% if n > 5 and not flag or empty %}a{% elif n is odd %}b{% else %}c{% endif %} {% if empty %}a{% elif none_value %}b{% endif %}|{% if missing %}x{% else %}y{% endif %} {% if users: %}z{% endif %}
{% if not missing and missing != 1 and missing == other %}ok{% endif %} {{ missing or 'dflt' }} {{ (missing, 1)[1] }} {{ missing is defined and missing.x }}
{{ umlaut|length }} {{ umlaut|upper }} {{ umlaut[6] }} {{ umlaut[::-1] }} {{ umlaut.find('S') }} {{ [umlaut] }} {{ umlaut|list|length }} {{ '🦊'|center(4) }}| {{ umlaut|truncate(9, true, '', 0) }} {{ umlaut|urlencode }}
{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{% do c.reset() %}{{ c.next() }} {% set j = joiner(', ') %}{% for x in 'abc' %}{{ j() }}{{ x }}{% endfor %}
{% print 1 + 1 %} {% print 'a', 'b' %} {% block x %}in block{% endblock %} {% block y %}{% endblock y %} {% autoescape false %}<{{ '<' }}{% endautoescape %}
{% do [].append(1) %}{{ 'x' if 'a' is in d and d.a is number }} {{ d.a is divisibleby 1 and true }} {{ 1 if not d.zz is defined else 2 }}
{{ [1, [2, [3]]] }} {{ {'k': [1, {'j': (1, 2)}]} }} {{ [true, false, none, 1.5, 1e20] }} {{ ['a\nb'] }}
{{ 'a' ~ 'b' * 2 ~ (1 + 2) }} {{ (1 + 2) ~ 3 }} {{ 2 * 3 ~ 4 }} {{ '7' + 3 ~ 2 }}
{{ 'abc'.upper().lower().title() }} {{ ('a' ~ 'b').upper() }} {{ [3, 1]|sort|first }} {{ (users|first).name }} {{ users|map(attribute='age')|sum / users|length }} {{ (n|string)[0] }}
{{ [1, 2, 3]|map('string')|join('') ~ '!' }} {{ [[1, 2], [3]]|map('join', '-')|list }} {{ ['1', '2']|map('int')|sum }} {{ [1, 2]|map('float')|list }}
{{ 10|string|length }} {{ 3.0|string }} {{ true|string|lower }} {{ none|string }} {{ [1]|string }}
{{ 'x' 'y'|upper }} {{ 'a,b'|replace(',', '\n') }} {{ "tab\there" }} {{ 'nul\0x'|length }} {{ '\q' }}
{{ 1 if true else 2 if false else 3 }} {{ (1 if false else 2) if true else 3 }}
{{ 1.real is defined }}
{% set x = 'a' if false %}[{{ x }}{{ x|upper }}{{ x ~ 'b' }}] {{ x is defined }} {{ x|default('q') }} {{ ('a' if false)|d(1) }} {% for i in x %}i{% endfor %}{{ 'y' if x }}
""".strip("\n").split("\n")

ERRORS = r"""
{% macro va(a, b=varargs|length) %}{{ b }}{% endmacro %}{{ va(1, 2, 3) }}
{% macro kw(a, b=kwargs|length) %}{{ b }}{% endmacro %}{{ kw(1, c=2) }}
{% macro ca(b=caller is defined) %}{{ b }}{% endmacro %}{% call ca() %}x{% endcall %}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + (2,) }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ [3, 'a']|sort }}
{{ missing.x }}
{{ missing() }}
{{ missing + 1 }}
{{ d.zz.y }}
{{ 'a'.nope() }}
{{ none.x.y }}
{{ n() }}
{{ {[]: 1} }}
{{ [x for x in y] }}
{{ 1 + 2 ~ 3 }}
{{ 'a' in 5 }}
{{ 5|length }}
{% for x in 5 %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% set a, b = [1] %}
{% set a, b = [1, 2, 3] %}
{% set d.x = 1 %}
{{ x|nope }}
{{ x is nope }}
{% nope %}
{% if true %}
{% for x in y %}{% endif %}
{{ x
{{ 'abc }}
{# abc
{% raw %}x
{{ (1 }}
{{ 1) }}
{{ [1} }}
{{ }}
{{ 1 2 }}
{{ a b }}
{{ f(a=1, 2) }}
{{ a..b }}
{{ x[ }}
{% set %}
{% set 1 = 2 %}
{% set x y %}
{% set none = 2 %}
{% macro m(a=1, b) %}{% endmacro %}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(b=2) }}
{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}
{% macro m() %}{% endmacro %}{% call m() %}x{% endcall %}
{% call 5 %}{% endcall %}
{% break %}
{% else %}
{% endfor %}
{{ '%d' % 'a' }}
{{ '%s %s' % (1,) }}
{{ '%s' % (1, 2) }}
{{ '{}'.format() }}
{{ '{x}'.format(1) }}
{{ '{:d}'.format('a') }}
{{ ','.join([1]) }}
{{ [].pop() }}
{{ {}.pop('a') }}
{{ 'a'.index('z') }}
{{ range(1, 2, 0) }}
{{ range(1000000)|list }}
{{ [1, 2][::0] }}
{{ users|map('nope')|list }}
{{ users|selectattr('age', 'nope')|list }}
{{ 'a'|round }}
{{ 'abc'|truncate(1) }}
{{ [1]|map('upper')|length }}
{{ ''|list|first|upper if false }}{{ 1|first }}
{{ "\x4" }}
{% for x in [1] %}{{ loop.index }
{% include 'x' %}
{{ 1 is odd is even }}
{{ d|dictsort(by='x') }}
{{ {'a b': 1}|xmlattr }}
""".strip("\n").split("\n")


def environment() -> jinja2.Environment:
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])


def run(template: str) -> dict:
    source = template.replace("\\n", "\n").replace("\\r", "\r") if is_multiline(template) else template
    case = {"template": source}
    try:
        case["output"] = environment().from_string(source).render(json.loads(json.dumps(CONTEXT)))
    except Exception as error:
        case["error"] = type(error).__name__
        case["message"] = str(error)
    return case


def is_multiline(template: str) -> bool:
    """Backslashes inside of string literals belong to Jinja; outside of them they are line breaks of the template."""
    return "'" not in template and '"' not in template


def main() -> None:
    cases = [run(template) for template in TEMPLATES + ERRORS]
    target = pathlib.Path(__file__).parent.parent / "tests" / "jinja" / "jinja2_reference.json"
    document = {"jinja2": jinja2.__version__, "context": CONTEXT, "cases": cases}
    target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    failed = [case["template"] for case in cases[: len(TEMPLATES)] if "error" in case]
    passed = [case["template"] for case in cases[len(TEMPLATES) :] if "output" in case]
    print(f"{len(cases)} cases; fail unexpectedly: {failed}; work unexpectedly: {passed}")


if __name__ == "__main__":
    main()
