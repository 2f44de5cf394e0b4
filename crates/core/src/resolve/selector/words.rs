//! A list of texts in one piece of memory: four bytes for each text beside its characters.

/// A list of texts that does not change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    text: Box<str>,
    /// Where each text ends.
    ends: Box<[u32]>,
}

impl Words {
    /// The list of these texts; none if they are longer than 4 GiB.
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for one in texts {
            text.push_str(one);
            ends.push(u32::try_from(text.len()).ok()?);
        }
        Some(Self {
            text: text.into(),
            ends: ends.into(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.text.len() + size_of_val(&*self.ends)
    }

    pub(super) fn get(&self, n: usize) -> Option<&str> {
        let end = *self.ends.get(n)?;
        let start = n.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        self.text.get(start.unwrap_or_default() as usize..end as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|n| self.get(n))
    }

    /// The place of a text between `first` and `end`, where the list is sorted.
    pub(super) fn find(&self, first: usize, end: usize, wanted: &str) -> Option<usize> {
        let (mut low, mut high) = (first, end);
        while low < high {
            #[cfg(any(test, feature = "fixture"))]
            super::super::lookups::count();
            let middle = low.midpoint(high);
            match self.get(middle)?.cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_found_at_its_place_and_no_other_is() {
        let texts = ["", "a", "ab", "b", "zz"];
        let words = Words::of(texts).unwrap();
        assert_eq!(words.iter().collect::<Vec<_>>(), texts);
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(words.find(0, 5, text), Some(n));
            assert_eq!(words.find(n + 1, 5, text), None);
        }
        assert_eq!(words.find(0, 5, "aa"), None);
        assert_eq!(words.get(5), None);
        assert_eq!(Words::of([]).unwrap().find(0, 0, ""), None);
    }
}
