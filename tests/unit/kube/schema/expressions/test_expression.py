"""Expressions: what they say, what is no expression, and what goes wrong when they are evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.kube.schema.expressions import expression

SELF = {
    "name": "web",
    "count": 3,
    "ports": [80, 443, 80],
    "labels": {"app": "web"},
    "items": [{"name": "a", "weight": 1}, {"name": "b"}],
}


def value(text: str, **variables: Any) -> Any:
    found = {"self": SELF, **variables}
    return expression.compile_expression(text, frozenset(found)).evaluate(found)


@pytest.mark.parametrize(
    "text",
    [
        "self.count > 2 && self.name == 'web'",
        "has(self.labels) && !has(self.nothing)",
        "self.items.exists(i, has(i.weight) && i.weight == 1)",
        "self.items.exists_one(i, i.name == 'a')",
        "self.items.all(i, i.name != '') || self.items.map(i, i.name).size() == 0",
        "self.items.filter(i, has(i.weight)).size() == 1",
        "self.labels.all(k, self.labels[k] != '')",
        "'app' in self.labels && 443 in self.ports",
        "size(self.ports) == 3 && self.ports[1] == 443",
        "self.name.matches('^w.b$') && self.name.startsWith('w') && self.name.contains('e')",
        "duration('90s') > duration('1m') && string(duration('90s')) == '1m30s'",
        "timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
        "(self.count > 5 ? 'many' : 'few') == 'few'",
        "self.name == oldSelf.name",
        # lists and texts
        "[1, 2, 3].isSorted() && [1, 2, 3].sum() == 6 && [1, 2].max() == 2 && [3, 2].min() == 2",
        "self.ports.indexOf(80) == 0 && self.ports.lastIndexOf(80) == 2 && 'hello'.indexOf('l') == 2",
        "'a,b'.split(',')[1] == 'b' && ['a', 'b'].join('-') == 'a-b'",
        "'abc'.substring(1) == 'bc' && 'abc'.substring(0, 2) == 'ab' && 'ABC'.lowerAscii() == 'abc'",
        "'ab12'.find('[0-9]+') == '12' && 'ab'.find('[0-9]') == '' && 'a1b2'.findAll('[0-9]') == ['1', '2']",
        "'%s has %d'.format(['it', 2]) == 'it has 2'",
        "math.greatest(1, 2) == 2 && sets.contains([1, 2], [1])",
        "size('éé') == 2 && 'é'.size() == 1 && b'abc'.size() == 3 && self.size() == 5",
        # fields that may not be there
        "self.?name.orValue('') == 'web' && self.?nothing.orValue('x') == 'x' && !self.?nothing.more.hasValue()",
        "self.labels[?'app'].hasValue() && self.ports[?7].orValue(1) == 1 && !has(self.?nothing.more)",
        "self.labels[?'app'].optMap(v, v + '!').orValue('') == 'web!' && !self.?nothing.optMap(v, v.x).hasValue()",
        "self.?items.optFlatMap(v, v[?0]).value().name == 'a'",
        "[1, ?self.?nothing, ?self.?count] == [1, 3] && {'a': 1, ?'b': self.?nothing} == {'a': 1}",
        "optional.of(1).or(optional.none()).value() == 1 && !optional.ofNonZeroValue('').hasValue()",
        # macros
        "cel.bind(x, self.count, x + x == 6) && cel.bind(x, self.?nothing, x.orValue(1) == 1)",
        "self.labels.all(k, v, k == 'app' && v == 'web') && self.ports.exists(i, v, i == 1 && v == 443)",
        "self.ports.existsOne(i, v, v == 443) && self.ports.exists_one(i, v, v == 443)",
        "self.labels.transformList(k, v, k + v) == ['appweb'] && self.ports.transformList(i, v, i > 1, i) == [2]",
        "self.labels.transformMap(k, v, v + '!') == {'app': 'web!'}",
        "self.labels.transformMapEntry(k, v, {v: k}) == {'web': 'app'}",
        "self.items.sortBy(i, -(i.?weight.orValue(9))).map(i, i.name) == ['b', 'a']",
        "self.items.all(i, self.labels.all(k, v, i.name != k))",
        # formats and versions
        "!format.dns1123Label().validate('web').hasValue() && format.named('uuid').value().validate('x').hasValue()",
        "!format.named('nothing').hasValue() && !format.date().validate('2026-01-01').hasValue()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').compareTo(semver('1.0.0')) == -1",
        "isSemver('1.0.0-a+b') && !isSemver('1.0') && semver('v1.0', true).major() == 1",
        # URLs
        "isURL('https://a.example:80/x') && !isURL('../x') && url('https://a:80/x').getHost() == 'a:80'",
        "url('https://a.example:80/x').getHostname() == 'a.example' && url('http://a/?q=1').getQuery()['q'] == ['1']",
        "url('http://[::1]:80/x y'.replace(' ', '')).getHostname() == '::1' && url('/x').getScheme() == ''",
        # addresses
        "isIP('10.0.0.1') && !isIP('10.0.0.256') && ip('::1').isLoopback() && ip('10.0.0.1').family() == 4",
        "ip.isCanonical('::1') && !ip.isCanonical('0:0::1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "isCIDR('fd00::/8') && !isCIDR('10.0.0.1') && cidr('10.0.0.1/8').ip() == ip('10.0.0.1')",
        # quantities
        "quantity('1') == quantity('1000m') && quantity('1Gi').isGreaterThan(quantity('1G'))",
        "quantity('2k').asInteger() == 2000 && !quantity('1m').isInteger() && isQuantity('1Mi') && !isQuantity('x')",
        "quantity('1').add(quantity('1m')).compareTo(quantity('1001m')) == 0 && quantity('-1').sign() == -1",
        "quantity('1').sub(1) == quantity('0') && quantity('500m').asApproximateFloat() == 0.5",
    ],
)
def test_true(text: str) -> None:
    assert value(text, oldSelf={"name": "web"}) is True


@pytest.mark.parametrize("text", ["self.count > 3", "self.name == 'x'", "self.items.all(i, has(i.weight))"])
def test_false(text: str) -> None:
    assert value(text) is False


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a b", "Syntax error: extraneous input 'b'"),
        ("self.count >", "ERROR: <input>"),
        ("other == 1", "undeclared reference to 'other'"),
        ("self.name.shout()", "undeclared reference to 'shout'"),
        ("1 == 1 &&\n other == 1", "<input>:2:2: undeclared reference to 'other'"),
        ("self.labels.all(k, v, k == w)", "undeclared reference to 'w'"),
        ("bookmesh_pairs(self) == []", "undeclared reference to 'bookmesh_pairs'"),
        ("Thing{a: 1} == 1", "undeclared reference to 'Thing'"),
        ("self.`a-b` == 1", "unsupported syntax"),
        ("(" * 200 + "1" + ")" * 200, "Syntax error"),
    ],
)
def test_what_is_no_expression(text: str, why: str) -> None:
    with pytest.raises(expression.ExpressionError, match=why):
        value(text)


def test_variables_are_told_from_names_of_macros() -> None:
    compiled = expression.compile_expression(
        "self.items.all(oldSelf, oldSelf.name != '') && self.count > 0", frozenset({"self", "oldSelf"})
    )
    assert compiled.names == {"self"}


def test_structures_are_maps_where_they_are_known() -> None:
    text = "Object{spec: Object.spec{count: self.count, ?other: self.?nothing}}"
    compiled = expression.compile_expression(text, frozenset({"self"}), frozenset({"Object"}))
    assert compiled.evaluate({"self": SELF}) == {"spec": {"count": 3}}


def test_text_in_quotes_is_not_taken_for_syntax() -> None:
    assert value("self.name != 'a.?b' && self.name != \"`\"") is True


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("self.nothing == 1", "no such key: nothing"),
        ("self.ports[7] == 1", "index out of bounds: 7"),
        ("self.count / 0 == 1", "division by zero"),
        ("9223372036854775807 + self.count > 0", "integer overflow"),
        ("self.name + 1 == ''", "no such overload"),
        ("url('http://x y').getHost() == ''", "URL parse error"),
        ("int('x') == 1", "type conversion error from 'string' to 'int'"),
        ("quantity('1m').asInteger() == 1", "cannot convert value to integer"),
        ("'%s'.format([]) == ''", "more verbs than values"),
    ],
)
def test_what_goes_wrong(text: str, why: str) -> None:
    with pytest.raises(expression.EvaluationError, match=why):
        value(text)
