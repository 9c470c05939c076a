//! What a test file says: its head, what stands above each test, and the test's code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use syn::spanned::Spanned as _;

/// What a file of models says.
#[derive(Debug)]
pub struct Page {
    /// The title: the question.
    pub question: String,
    /// The rest of its head, in Markdown.
    pub head: String,
    /// By name.
    pub tests: BTreeMap<String, Test>,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What stands above it, in Markdown.
    pub doc: String,
    pub code: String,
}

impl Page {
    /// Reads a file. Where it says no title, its `path` is that.
    #[must_use]
    pub fn parse(source: &str, path: &str) -> Self {
        let Ok(file) = syn::parse_file(source) else {
            return Self { question: path.to_owned(), head: String::new(), tests: BTreeMap::new() };
        };
        let head = doc(&file.attrs);
        let (title, rest) = head.split_once('\n').unwrap_or((&head, ""));
        let (question, rest) = match title.strip_prefix("# ") {
            Some(question) => (question, rest),
            None => (path, &*head),
        };
        let lines: Vec<&str> = source.lines().collect();
        let mut tests = BTreeMap::new();
        collect(&file.items, "", &lines, &mut tests);
        Self { question: question.to_owned(), head: rest.trim().to_owned(), tests }
    }

    /// The test whose path in its binary is `path`.
    #[must_use]
    pub fn test(&self, path: &str) -> Option<&Test> {
        let is = |name: &str| {
            path == name || path.strip_suffix(name).is_some_and(|rest| rest.ends_with("::"))
        };
        let found = self.tests.iter().filter(|(name, _)| is(name));
        found.max_by_key(|(name, _)| name.len()).map(|(_, test)| test)
    }
}

/// The tests among `items`, named by their paths.
fn collect(items: &[syn::Item], path: &str, lines: &[&str], tests: &mut BTreeMap<String, Test>) {
    for item in items {
        match item {
            syn::Item::Fn(function) if function.attrs.iter().any(is_test) => {
                let first = function.sig.span().start().line;
                let last = function.block.span().end().line;
                let code = lines[first - 1..last].join("\n");
                let name = format!("{path}{}", function.sig.ident);
                tests.insert(name, Test { doc: doc(&function.attrs), code });
            }
            syn::Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, &format!("{path}{}::", module.ident), lines, tests);
                }
            }
            _ => {}
        }
    }
}

fn is_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("test")
}

/// The documentation in `attributes`.
fn doc(attributes: &[syn::Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let syn::Meta::NameValue(pair) = &attribute.meta else { continue };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) = &pair.value else {
            continue;
        };
        let line = line.value();
        text.push_str(line.strip_prefix(' ').unwrap_or(&line));
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// What a text may refer to.
#[derive(Debug)]
pub struct Around<'a> {
    /// The names of the report's pages.
    pub pages: &'a [&'a str],
    /// The folder that its pictures are relative to.
    pub folder: PathBuf,
}

impl Around<'_> {
    /// The picture as a `data:` URL: a page needs no other file.
    fn picture(&self, path: &str) -> Option<String> {
        let file = self.folder.join(path);
        let text = fs::read_to_string(&file).ok()?;
        let mut url = "data:image/svg+xml,".to_owned();
        for byte in text.bytes() {
            match byte {
                b' '..=b'~' if !b"\"#%<>".contains(&byte) => url.push(byte.into()),
                _ => write!(url, "%{byte:02X}").expect("a string"),
            }
        }
        file.extension().is_some_and(|kind| kind == "svg").then_some(url)
    }
}

/// Markdown as HTML. Of links only those to the web and to other pages are kept (what rustdoc would
/// resolve leads nowhere here), of pictures the SVG files that are there.
#[must_use]
pub fn markdown(text: &str, around: &Around) -> Markup {
    let known = |link: &str| -> Option<String> {
        if link.starts_with("https://") {
            return Some(link.to_owned());
        }
        let page = link.rsplit('/').next()?.strip_suffix(".rs")?;
        around.pages.contains(&page).then(|| format!("{page}.html"))
    };
    let mut shortcut = |_| Some((CowStr::from(""), CowStr::from("")));
    let options = Options::ENABLE_TABLES;
    let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut shortcut));
    let mut kept = Vec::new();
    let events = parser.filter_map(|event| match event {
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let link = known(&dest_url);
            kept.push(link.is_some());
            let dest_url = CowStr::from(link?);
            Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        Event::End(TagEnd::Link) => kept.pop()?.then_some(Event::End(TagEnd::Link)),
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let picture = around.picture(&dest_url);
            kept.push(picture.is_some());
            let dest_url = CowStr::from(picture?);
            Some(Event::Start(Tag::Image { link_type, dest_url, title, id }))
        }
        Event::End(TagEnd::Image) => kept.pop()?.then_some(Event::End(TagEnd::Image)),
        // The page has a title of its own.
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            let level = pulldown_cmark::HeadingLevel::try_from(level as usize + 1).unwrap_or(level);
            Some(Event::Start(Tag::Heading { level, id, classes, attrs }))
        }
        Event::End(TagEnd::Heading(level)) => {
            let level = pulldown_cmark::HeadingLevel::try_from(level as usize + 1).unwrap_or(level);
            Some(Event::End(TagEnd::Heading(level)))
        }
        event => Some(event),
    });
    let mut text = String::new();
    html::push_html(&mut text, events);
    PreEscaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! # Can it?
//!
//! **Answer.** No.

/// Both read 0.
#[test]
fn it_cannot() {
    check();
}

fn helper() {}

mod inner {
    #[test]
    fn nor_this() {}
}
";

    #[test]
    fn a_page_is_a_question_a_head_and_tests() {
        let page = Page::parse(SOURCE, "tests/it.rs");
        assert_eq!((&*page.question, &*page.head), ("Can it?", "**Answer.** No."));
        let test = Test {
            doc: "Both read 0.".to_owned(),
            code: "fn it_cannot() {\n    check();\n}".to_owned(),
        };
        assert_eq!(page.tests["it_cannot"], test);
        assert_eq!(page.tests.keys().collect::<Vec<_>>(), ["inner::nor_this", "it_cannot"]);
        assert_eq!(page.test("it::it_cannot"), Some(&test));
        assert_eq!(page.test("not_it_cannot"), None);
        let untitled = Page::parse("//! Tells it.\n", "tests/it.rs");
        assert_eq!((&*untitled.question, &*untitled.head), ("tests/it.rs", "Tells it."));
        assert_eq!(Page::parse("fn {", "tests/it.rs").question, "tests/it.rs");
    }

    #[test]
    fn links_that_lead_nowhere_are_no_links() {
        let around = Around { pages: &["counter"], folder: PathBuf::from("../docs") };
        let html = |text| markdown(text, &around).into_string();
        assert_eq!(html("[`Map`] and [it](a::B)"), "<p><code>Map</code> and it</p>\n");
        assert_eq!(html("[c](x/counter.rs)"), "<p><a href=\"counter.html\">c</a></p>\n");
        let web = "<p><a href=\"https://example.org/\">w</a></p>\n";
        assert_eq!(html("[w](https://example.org/)"), web);
        assert_eq!(html("# One"), "<h2>One</h2>\n");
        assert_eq!(html("![a curve](absent.svg)"), "<p>a curve</p>\n");
        let picture = html("![a curve](contention.svg)");
        assert!(
            picture.starts_with("<p><img src=\"data:image/svg+xml,%3Csvg%20xmlns=%22"),
            "{picture}"
        );
        assert!(picture.ends_with("%3C/svg%3E%0A\" alt=\"a curve\" /></p>\n"), "{picture}");
    }
}
