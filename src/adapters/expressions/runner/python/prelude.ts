import { asked, hostFunctions } from './asked.ts';
import { skipMessage } from './failures.ts';

/** Helpers in Python, each with what it uses. Only those that a source names are put before it. */
const helpers: Readonly<Record<string, string>> = {
  ak_message: `def ak_message(text):
    __say__(__limited__(str(text.compressed if hasattr(text, "compressed") else text)))`,
  regex_match: `import re as __re__
def regex_match(value, regex):
    found = __simple_match__(value, regex)
    return __re__.search(regex, value) is not None if found is None else found`,
  regex_replace: `import re as __re__
def regex_replace(value, regex, repl):
    return __re__.sub(regex, repl, value)`,
  list_flatten: `def list_flatten(value):
    if isinstance(value, list):
        return value[0] if len(value) > 0 else None
    return value`,
  SkipObject: `def SkipObject(*args):
    return StopIteration(${JSON.stringify(skipMessage)})`,
  __yielded__: '__yielded__ = []',
  __made__: `def __made__(value):
    if hasattr(value, "__given__"):
        __complete__(value.__given__, value.absences)
        return value.__given__
    return value`,
  __fields__: `def __fields__(value, count):
    values = value if isinstance(value, tuple) else (value,)
    if len(values) != count:
        raise TypeError("as many values as places are needed to format a text")
    return values`,
  __same_text__: `def __same_text__(text):
    return text`,
  __record__: `def __record__(**members):
    return members`,
  __text__: `def __text__(value):
    return value.compressed if hasattr(value, "compressed") else value`,
  __str__: `def __str__(value=""):
    return str(value.compressed) if hasattr(value, "compressed") else str(value)`,
  __compare__: `def __holds__(one, operator, other):
    if operator == "in" or operator == "not in":
        found = __in_network__(one, other) if hasattr(other, "network_address") else one in other
        return found if operator == "in" else not found
    if operator == "==":
        return one == other
    if operator == "!=":
        return one != other
    if operator == "is":
        return one is other
    if operator == "is not":
        return one is not other
    if hasattr(one, "order") and hasattr(other, "order"):
        if one.version != other.version:
            raise TypeError("addresses of two versions have no order")
        one = one.order
        other = other.order
    max((one, other))
    if operator == "<":
        return one < other
    if operator == "<=":
        return one <= other
    return one > other if operator == ">" else one >= other
def __compare__(one, *rest):
    for index in range(0, len(rest), 2):
        held = __holds__(one, rest[index], rest[index + 1])
        if not held:
            return held
        one = rest[index + 1]
    return held`,
};

/** Longest text of what is passed on, as Python writes it: what would unfold to more is refused before it leaves. */
const longest = 1_000_000;

const always = `def __limited__(value):
    if len(str(value)) > ${longest}:
        raise MemoryError("what it passes on is too long")
    return value
def __complete__(value, absences):
    for name in absences[0]:
        setattr(value, name, None)
    for name, more in absences[1]:
        __complete__(getattr(value, name), more)
    for key, more in absences[2]:
        __complete__(value[key], more)`;

/** The helpers that a translated source names. */
export function helpersFor(source: string): readonly string[] {
  const asking = hostFunctions
    .filter((name) => source.includes(name))
    .map(
      (name) => `def ${name}(*args, **named):
    __limited__((args, named))
    return __made__(${asked(name)}(*args, **named))`,
    );
  const named = Object.entries(helpers).flatMap(([name, text]) =>
    source.includes(name) || (name === '__made__' && asking.length > 0) ? [text] : [],
  );
  return [always, ...named, ...asking];
}
