//! What a vote decides.

use crate::{
    core::value::{self, Kind, Value},
    proto::vote::Rule,
};

/// How votes are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Ballot {
    /// What may be voted for.
    pub options: Vec<String>,
    /// What an option needs to win.
    pub rule: Rule,
    /// What the vote of each voter weighs, in their order.
    pub weights: Vec<f64>,
}

impl Ballot {
    /// The option that won, of a list of votes, `{vote}`, in the order of the voters; null when
    /// none did.
    pub fn winner(&self, votes: &Value) -> Value {
        let votes = match &votes.kind {
            Some(Kind::ListValue(list)) => list.values.as_slice(),
            _ => &[],
        };
        let won = self.options.iter().find(|option| self.wins(option, votes));
        won.map_or_else(value::null, value::string)
    }

    fn wins(&self, option: &str, votes: &[Value]) -> bool {
        let is_for = |vote: &Value| match value::member(vote, "vote").map(|v| &v.kind) {
            Some(Some(Kind::StringValue(given))) => given == option,
            _ => false,
        };
        let voters = self.weights.iter().zip(votes);
        let in_favour = voters.filter(|(_, vote)| is_for(vote)).map(|(w, _)| *w);
        match self.rule {
            Rule::Unanimous => in_favour.count() == self.weights.len(),
            Rule::Weighted => in_favour.sum::<f64>() * 2.0 > self.weights.iter().sum(),
            Rule::Majority | Rule::Unspecified => in_favour.count() * 2 > self.weights.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn winner(rule: Rule, votes: &[&str]) -> serde_json::Value {
        let ballot = Ballot {
            options: vec!["yes".into(), "no".into(), "later".into()],
            rule,
            weights: vec![3.0, 1.0, 1.0],
        };
        let votes: Vec<_> = votes.iter().map(|vote| json!({"vote": vote})).collect();
        value::to_json(&ballot.winner(&value::from_json(&json!(votes))))
    }

    #[test]
    fn a_majority_is_more_than_half_of_the_voters() {
        assert_eq!(winner(Rule::Majority, &["yes", "no", "no"]), json!("no"));
        assert_eq!(winner(Rule::Majority, &["yes", "no", "later"]), json!(null));
        assert_eq!(winner(Rule::Unspecified, &["no", "no", "no"]), json!("no"));
    }

    #[test]
    fn unanimous_is_every_voter() {
        assert_eq!(winner(Rule::Unanimous, &["yes", "yes", "no"]), json!(null));
        assert_eq!(
            winner(Rule::Unanimous, &["yes", "yes", "yes"]),
            json!("yes")
        );
    }

    #[test]
    fn weighted_is_more_than_half_of_the_weight() {
        assert_eq!(winner(Rule::Weighted, &["yes", "no", "no"]), json!("yes"));
        assert_eq!(
            winner(Rule::Weighted, &["later", "later", "later"]),
            json!("later")
        );
    }
}
