//! Is it well-formed, as XML has it? HTML that is keeps no browser guessing.

/// The names of the tags of a document, in order, with its texts and attributes as they were
/// meant; what stands between `<script>` and `<style>` tags is taken as it is.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Each element's name.
    pub(crate) tags: Vec<String>,
    /// Each attribute's name and value.
    pub(crate) attributes: Vec<(String, String)>,
    /// All text outside of tags.
    pub(crate) text: String,
}

/// Reads a document. Panics where it is not well-formed, with the place.
pub(crate) fn read(document: &str) -> Read {
    let mut read = Read::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = document;
    while let Some(at) = rest.find('<') {
        read.text.push_str(&unescaped(&rest[..at]));
        rest = &rest[at + 1..];
        let end = rest.find('>').unwrap_or_else(|| panic!("no end of {}", start(rest)));
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if tag.starts_with(['!', '?']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "before {}", start(rest));
            continue;
        }
        let (name, is_closed) = element(tag, &mut read);
        if name == "script" || name == "style" {
            let end = rest.find(&format!("</{name}>")).expect("the script ends");
            rest = &rest[end..];
        }
        if !is_closed {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(rest.trim().is_empty(), "behind the end: {rest}");
    read
}

/// The name of an element, and whether it is closed in its own tag.
fn element(tag: &str, read: &mut Read) -> (String, bool) {
    let (tag, is_closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(name.chars().all(|letter| letter.is_ascii_alphanumeric()), "a tag <{tag}>");
    read.tags.push(name.to_owned());
    while !rest.trim().is_empty() {
        let (attribute, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("<{tag}>"));
        let (value, behind) = value.split_once('"').unwrap_or_else(|| panic!("<{tag}>"));
        read.attributes.push((attribute.trim().to_owned(), unescaped(value)));
        rest = behind;
    }
    (name.to_owned(), is_closed)
}

fn unescaped(text: &str) -> String {
    let mut shown = String::new();
    let mut parts = text.split('&');
    shown.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, behind) = part.split_once(';').unwrap_or_else(|| panic!("a bare & in {text}"));
        shown.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("an entity &{other}; in {text}"),
        });
        shown.push_str(behind);
    }
    shown
}

fn start(text: &str) -> String {
    text.chars().take(60).collect()
}
