//! A value of an answer with its texts borrowed from it: a listing has millions of them, and few are kept.

use std::{borrow::Cow, fmt, ops::Index};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value as Json};

/// Members that most objects in a row have at most: room for so many is made at once.
const MEMBERS_USUAL: usize = 8;

/// Any JSON value. What is not there is [`Node::Null`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Node<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Members(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// True for this text.
    pub(super) fn is(&self, text: &str) -> bool {
        self.as_str() == Some(text)
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    pub(super) fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The members of an object, with their names.
    pub(super) fn members(&self) -> &[(Cow<'a, str>, Self)] {
        if let Self::Members(members) = self { members } else { &[] }
    }

    /// A member of an object; of several with one name the last, as is usual.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// As [`Node::get`], to be changed.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Members(members) = self else { return None };
        members.iter_mut().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Sets a member of an object.
    pub(super) fn set(&mut self, name: &str, value: Self) {
        if let Self::Members(members) = self {
            members.retain(|(member, _)| member != name);
            members.push((name.to_owned().into(), value));
        }
    }

    /// The same with texts of its own.
    pub(super) fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(flag) => Node::Bool(flag),
            Self::Number(number) => Node::Number(number),
            Self::Text(text) => Node::Text(text.into_owned().into()),
            Self::List(items) => Node::List(items.into_iter().map(Node::into_owned).collect()),
            Self::Members(members) => {
                let owned = |(name, value): (Cow<'_, str>, Node<'_>)| (name.into_owned().into(), value.into_owned());
                Node::Members(members.into_iter().map(owned).collect())
            }
        }
    }
}

impl<'a> Index<&str> for Node<'a> {
    type Output = Node<'a>;

    fn index(&self, name: &str) -> &Node<'a> {
        self.get(name).unwrap_or(&Node::Null)
    }
}

impl<'a> From<&'a Json> for Node<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(number.clone()),
            Json::String(text) => Self::Text(text.as_str().into()),
            Json::Array(items) => Self::List(items.iter().map(Node::from).collect()),
            Json::Object(members) => {
                Self::Members(members.iter().map(|(name, value)| (name.as_str().into(), value.into())).collect())
            }
        }
    }
}

/// The name of a member, borrowed where it can be.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Node<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node<'de>, E> {
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            if members.is_empty() {
                members.reserve_exact(MEMBERS_USUAL);
            }
            members.push((name, map.next_value()?));
        }
        Ok(Node::Members(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read_is_what_the_json_says() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"{"a": [1, -2, 1.5, 18446744073709551615, true, null], "b\n": {"c": "d\u00e9", "e": "\ud83d\ude00"}}"#,
            r#"{"twice": 1, "twice": {"a": [{}]}}"#,
        ] {
            let node: Node<'_> = serde_json::from_str(text).expect("JSON");
            let json: Json = serde_json::from_str(text).expect("JSON");
            assert!(is_same(&node, &json), "{text}: {node:?}");
            assert_eq!(node.clone().into_owned(), node);
        }
        for text in ["1e999", r#""\ud800""#, "[", "{\"a\"}", "nul", &"[".repeat(200)] {
            assert!(serde_json::from_str::<Node<'_>>(text).is_err(), "{text}");
        }
    }

    fn is_same(node: &Node<'_>, json: &Json) -> bool {
        match (node, json) {
            (Node::Members(_), Json::Object(members)) => {
                members.iter().all(|(name, value)| node.get(name).is_some_and(|node| is_same(node, value)))
            }
            (Node::List(items), Json::Array(values)) => {
                items.len() == values.len() && items.iter().zip(values).all(|(node, json)| is_same(node, json))
            }
            (node, json) => *node == Node::from(json),
        }
    }

    #[test]
    fn text_is_borrowed_where_nothing_is_escaped() {
        let node: Node<'_> = serde_json::from_str(r#"{"a": "plain", "b": "a\"b"}"#).expect("JSON");
        assert!(matches!(&node["a"], Node::Text(Cow::Borrowed("plain"))));
        assert!(node["b"].is("a\"b"));
    }

    #[test]
    fn members_can_be_set_and_what_is_not_there_is_null() {
        let json = json!({"a": 1});
        let mut node = Node::from(&json);
        node.set("a", Node::Bool(true));
        assert_eq!((node["a"].as_bool(), node["b"].is_null(), node["a"]["b"].is_null()), (Some(true), true, true));
    }
}
