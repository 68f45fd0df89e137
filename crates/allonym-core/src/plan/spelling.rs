//! How values are spelt before they are hashed, where that takes more than characters.

use crate::policy::Policy;
use allonym_keys::Profile;
use allonym_recognize::e164;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Turns telephone numbers in the national form of the policy's countries into international form
/// (ITU-T E.164), for fields of the profile `e164`. Extensions are left out, as E.164 has none; a
/// number that several countries could have is taken for one of the first that is named.
///
/// Everything else stays as it is: what no plan has, and all values of other profiles.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// `[find] countries`, in order; `None` for other profiles.
    countries: Option<Arc<[String]>>,
}

impl Spelling {
    /// Of a field with a profile.
    #[must_use]
    pub fn new(profile: Profile, policy: &Policy) -> Spelling {
        let countries = || policy.find.countries.iter().map(|code| code.to_uppercase()).collect();
        Spelling { countries: (profile == Profile::E164).then(countries) }
    }

    /// The value, or its international form in `buffer`.
    pub fn spell<'a>(&self, value: &'a str, buffer: &'a mut Zeroizing<String>) -> &'a str {
        match self.countries.as_ref().and_then(|countries| e164(value, countries)) {
            Some(number) => {
                *buffer = Zeroizing::new(number);
                buffer
            }
            None => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(profile: Profile, value: &str, expected: &str) {
        let policy = "version = 1\n[policy]\nname = \"p\"\npurpose = \"t\"\n[find]\ncountries = [\"DE\", \"NL\"]\n";
        let spelling = Spelling::new(profile, &Policy::parse(policy, "test").unwrap());
        assert_eq!(spelling.spell(value, &mut Zeroizing::new(String::new())), expected);
    }

    #[test]
    fn national_numbers_become_international() {
        check(Profile::E164, "030 901820", "+4930901820");
        check(Profile::E164, "+49 (0)30 901820", "+4930901820");
        check(Profile::E164, "0049 30 90182-0", "+4930901820");
        // A number that several countries could have is of the first that is named.
        check(Profile::E164, "020 624 1111", "+49206241111");
        check(Profile::E164, "+33 1 42 68 53 00", "+33142685300");
    }

    #[test]
    fn what_no_plan_has_and_other_profiles_stay() {
        check(Profile::E164, "12", "12");
        check(Profile::E164, "none", "none");
        check(Profile::Exact, "030 901820", "030 901820");
    }
}
