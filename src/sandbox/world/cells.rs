//! A row's values, kept small: a world may have a million rows.

use serde_json::Value;

/// Values by the IDs of their properties, each as the text of its JSON, which takes a tenth of the room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells(Vec<(Box<str>, Box<str>)>);

impl Cells {
    pub(crate) fn get(&self, property: &str) -> Option<Value> {
        let (_, text) = self.0.iter().find(|(known, _)| **known == *property)?;
        Some(read(text))
    }

    pub(crate) fn insert(&mut self, property: &str, value: &Value) {
        let text = value.to_string().into();
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| **known == *property) {
            *known = text;
        } else {
            self.0.reserve_exact(1);
            self.0.push((property.into(), text));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Value)> {
        self.0.iter().map(|(property, text)| (&**property, read(text)))
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("it was written as JSON")
}
