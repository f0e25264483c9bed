"""Templates of agents' files, read without computing anything; and how little the one that an agent is told by may do."""

from jinja2 import Environment, TemplateSyntaxError, nodes

FEW = ("default", "lower", "upper", "capitalize", "title", "trim", "length", "first", "last")
PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.List, nodes.Tuple, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter,
)  # fmt: skip
WORDS = {nodes.For: "a loop", nodes.Macro: "a macro", nodes.Call: "a call", nodes.Concat: "concatenation", nodes.BinExpr: "arithmetic"}
MUCH = f"{{}} is more than it may have, which is names, if, tests, comparisons, and the filters {', '.join(FEW)}"
DEEP = "it is nested too deeply, or has too long a number"


def read(environment: Environment, text: str, *, plain: bool = False) -> nodes.Template:
    """Compiling would compute some of it. A `plain` one never takes long, nor makes much of little. Raises TemplateSyntaxError."""
    try:
        tree = environment.parse(text)
        for node in tree.find_all(nodes.Node):
            if wrong := _unknown(environment, node) or (_much(node) if plain else ""):
                raise TemplateSyntaxError(wrong, node.lineno or 1)
    except (RecursionError, ValueError) as error:
        raise TemplateSyntaxError(DEEP, 1) from error
    return tree


def _unknown(environment: Environment, node: nodes.Node) -> str:
    match node:
        case nodes.Filter(name=name) if name not in environment.filters:
            return f"No filter named {name!r}."
        case nodes.Test(name=name) if name not in environment.tests:
            return f"No test named {name!r}."
        case _:
            return ""


def _much(node: nodes.Node) -> str:
    if isinstance(node, nodes.Filter) and node.name not in FEW:
        return MUCH.format(f"the filter {node.name}")
    if isinstance(node, PLAIN):
        return ""
    return MUCH.format(next((words for kind, words in WORDS.items() if isinstance(node, kind)), f"“{type(node).__name__.lower()}”"))


def names(tree: nodes.Template) -> set[str]:
    """What it speaks of, and does not name itself."""
    found = list(tree.find_all(nodes.Name))
    own = {name.name for name in found if name.ctx != "load"} | {macro.name for macro in tree.find_all(nodes.Macro)}
    return {name.name for name in found if name.ctx == "load"} - own - {"loop", "self", "caller", "varargs", "kwargs"}
