// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title Roles
/// @notice Who may do what: the operator commits, the guardian stops, the owner replaces both after roleDelay.
/// Nobody can veto a proposal, else a stolen key could keep its place for ever.
abstract contract Roles is Ownable2Step {
    /// @notice The caller is not the operator, or not the proposed one.
    error NotOperator();
    /// @notice The caller is not the guardian (or, to revoke, the owner), or not the proposed one.
    error NotGuardian();
    /// @notice The delay of this step has not passed.
    error TooEarly();
    /// @notice An argument is out of its bounds.
    error BadConfig();
    /// @notice No operator follows after retirement.
    error IsRetired();

    /// @notice `who` may take `role` ("operator" or "guardian") from `acceptableAt` on; zero withdraws a proposal.
    event RoleProposed(bytes32 indexed role, address who, uint256 acceptableAt);
    /// @notice `who` has `role` now; zero where it was revoked.
    event RoleChanged(bytes32 indexed role, address who);
    /// @notice Nothing is committed here from `effectiveAt` on; `successor` is where batches go after it.
    event Retired(address successor, uint256 effectiveAt);

    bytes32 private constant OPERATOR = "operator";
    bytes32 private constant GUARDIAN = "guardian";

    /// @notice Seconds from an owner's proposal, raise or retirement to its effect.
    uint64 public immutable roleDelay;

    struct Operator {
        address who;
        uint40 retiredAt; // zero: never
    }

    struct Proposal {
        address who;
        uint40 acceptableAt;
    }

    Operator private _operator;
    /// @notice Who may cancel, pause and revoke.
    address public guardian;
    /// @notice Who may become operator, and from when.
    Proposal public proposedOperator;
    /// @notice Who may become guardian, and from when.
    Proposal public proposedGuardian;

    constructor(address owner_, address operator_, address guardian_, uint64 roleDelay_) Ownable(owner_) {
        if (guardian_ == address(0) || roleDelay_ > 30 days) revert BadConfig();
        roleDelay = roleDelay_;
        _setOperator(operator_);
        _setGuardian(guardian_);
    }

    /// @notice Take the operator's right at once.  A proposed operator stays proposed, else a stolen guardian
    /// key could drop every successor.
    function revokeOperator() external {
        if (msg.sender != guardian && msg.sender != owner()) revert NotGuardian();
        _setOperator(address(0));
    }

    /// @notice Name the next operator, who may accept after roleDelay; replaces an earlier proposal.  A proposal
    /// waits for ever: propose zero to withdraw one.
    function proposeOperator(address who) external onlyOwner {
        proposedOperator = _propose(OPERATOR, who);
    }

    /// @notice Name the next guardian, who may accept after roleDelay; replaces an earlier proposal.
    function proposeGuardian(address who) external onlyOwner {
        proposedGuardian = _propose(GUARDIAN, who);
    }

    /// @notice Become operator: for the proposed one, once its delay has passed.
    function acceptOperator() external {
        if (msg.sender != proposedOperator.who) revert NotOperator();
        if (block.timestamp < proposedOperator.acceptableAt) revert TooEarly();
        if (_isRetired()) revert IsRetired();
        delete proposedOperator;
        _setOperator(msg.sender);
    }

    /// @notice Become guardian: for the proposed one, once its delay has passed.
    function acceptGuardian() external {
        if (msg.sender != proposedGuardian.who) revert NotGuardian();
        if (block.timestamp < proposedGuardian.acceptableAt) revert TooEarly();
        delete proposedGuardian;
        _setGuardian(msg.sender);
    }

    /// @notice No commit ever again from now + roleDelay on; claims go on for ever.  Until then a second call
    /// names another successor and starts the clock again.
    /// @param successor The contract that takes over, zero where none does.
    function retire(address successor) external onlyOwner {
        if (_isRetired()) revert IsRetired();
        uint256 effectiveAt = block.timestamp + roleDelay;
        _operator.retiredAt = uint40(effectiveAt);
        emit Retired(successor, effectiveAt);
    }

    /// @notice Zero after revocation and after retirement.
    function operator() public view returns (address) {
        return _isRetired() ? address(0) : _operator.who;
    }

    /// @notice Always refused: without an owner no lost or stolen role could be replaced.
    function renounceOwnership() public pure override {
        revert BadConfig();
    }

    function _isRetired() private view returns (bool) {
        uint256 retiredAt = _operator.retiredAt;
        return retiredAt != 0 && block.timestamp >= retiredAt;
    }

    function _propose(bytes32 role, address who) private returns (Proposal memory) {
        uint256 acceptableAt = block.timestamp + roleDelay;
        emit RoleProposed(role, who, acceptableAt);
        return Proposal(who, uint40(acceptableAt));
    }

    function _setOperator(address who) private {
        _operator.who = who;
        emit RoleChanged(OPERATOR, who);
    }

    function _setGuardian(address who) private {
        guardian = who;
        emit RoleChanged(GUARDIAN, who);
    }
}
