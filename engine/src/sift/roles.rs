//! What each place of a state v4 is, from its parent and its key.
//!
//! Must never look at a value.

/// A place in the document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// The top-level object.
    Document,
    /// `resources`.
    Resources,
    /// An element of `resources`.
    Resource,
    /// `instances` of a resource.
    Instances,
    /// An element of `instances`.
    Instance,
    /// `outputs`.
    Outputs,
    /// A member of `outputs`.
    Output,
    /// `check_results`.
    Checks,
    /// A scalar that the head or a resource's header is made of.
    Field(Field),
    /// A member of an instance or an output.
    Member(Member),
    /// Anything else: data.
    Data,
}

/// Scalars that others ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Version,
    Serial,
    Lineage,
    TerraformVersion,
    Mode,
    Type,
    Name,
    Module,
    Provider,
}

/// Members of instances and outputs that are treated apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Member {
    Attributes,
    AttributesFlat,
    SensitiveAttributes,
    Private,
    IndexKey,
    Deposed,
    Dependencies,
    Identity,
    OutputValue,
    OutputType,
    OutputSensitive,
}

impl Role {
    /// Role of a member by its decoded key.
    pub(super) fn of_key(self, key: &str) -> Self {
        match (self, key) {
            (Self::Document, "resources") => Self::Resources,
            (Self::Document, "outputs") => Self::Outputs,
            (Self::Document, "check_results") => Self::Checks,
            (Self::Document, "version") => Self::Field(Field::Version),
            (Self::Document, "serial") => Self::Field(Field::Serial),
            (Self::Document, "lineage") => Self::Field(Field::Lineage),
            (Self::Document, "terraform_version") => Self::Field(Field::TerraformVersion),
            (Self::Resource, "instances") => Self::Instances,
            (Self::Resource, "mode") => Self::Field(Field::Mode),
            (Self::Resource, "type") => Self::Field(Field::Type),
            (Self::Resource, "name") => Self::Field(Field::Name),
            (Self::Resource, "module") => Self::Field(Field::Module),
            (Self::Resource, "provider") => Self::Field(Field::Provider),
            (Self::Instance, "attributes") => Self::Member(Member::Attributes),
            (Self::Instance, "attributes_flat") => Self::Member(Member::AttributesFlat),
            (Self::Instance, "sensitive_attributes") => Self::Member(Member::SensitiveAttributes),
            (Self::Instance, "private") => Self::Member(Member::Private),
            (Self::Instance, "index_key") => Self::Member(Member::IndexKey),
            (Self::Instance, "deposed") => Self::Member(Member::Deposed),
            (Self::Instance, "dependencies") => Self::Member(Member::Dependencies),
            (Self::Instance, "identity") => Self::Member(Member::Identity),
            (Self::Output, "value") => Self::Member(Member::OutputValue),
            (Self::Output, "type") => Self::Member(Member::OutputType),
            (Self::Output, "sensitive") => Self::Member(Member::OutputSensitive),
            (Self::Outputs, _) => Self::Output,
            _ => Self::Data,
        }
    }

    /// Role of an element of an array.
    pub(super) fn of_element(self) -> Self {
        match self {
            Self::Resources => Self::Resource,
            Self::Instances => Self::Instance,
            _ => Self::Data,
        }
    }

    /// The bracket that a container which is never held as a whole begins with.
    pub(super) fn bracket(self) -> Option<u8> {
        match self {
            Self::Document | Self::Resource | Self::Outputs => Some(b'{'),
            Self::Resources | Self::Instances | Self::Checks => Some(b'['),
            _ => None,
        }
    }

    /// Terraform writes `null` for these when they are empty.
    pub(super) fn may_be_null(self) -> bool {
        matches!(self, Self::Resources | Self::Instances | Self::Outputs | Self::Checks)
    }

    /// A bit of its own for members that may stand once only; 0 for the rest.
    pub(super) fn once(self) -> u32 {
        match self {
            Self::Resources | Self::Instances => 1,
            Self::Outputs => 1 << 1,
            Self::Checks => 1 << 2,
            Self::Field(field) => 1 << (3 + u32::from(field.ordinal())),
            // Decide nothing; Terraform 0.12 itself wrote `dependencies` twice when it upgraded old states.
            Self::Member(Member::Dependencies | Member::Identity) => 0,
            Self::Member(member) => 1 << (12 + u32::from(member.ordinal())),
            _ => 0,
        }
    }
}

impl Field {
    #[expect(clippy::as_conversions, reason = "the discriminant of a small enum")]
    fn ordinal(self) -> u8 {
        self as u8
    }
}

impl Member {
    #[expect(clippy::as_conversions, reason = "the discriminant of a small enum")]
    fn ordinal(self) -> u8 {
        self as u8
    }
}
